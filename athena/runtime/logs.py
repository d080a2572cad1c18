"""Logs: one JSON object per line, with the id of its request; colored text in development.

The id comes from the gateway (X-Request-ID) or is generated. It is part of the response, of each line that is logged
for the request, and of the tasks that the request publishes. Secrets in addresses and headers are removed.
"""

import logging
import re
from typing import Any

import structlog

REDACTED = "[redacted]"
_SLASH, _NAME = r"(?:/|%2F)", r"(?:[\w-]*(?:token|secret|password|passwd|signature)|(?:api[_-]?)?key|sessionid)"
_REST = r"""(?:(?!%2F|%26)[^/\s"'?&\\])+"""  # the rest of a path segment, encoded or not
_SECRETS = re.compile(
    rf"""
    (?P<path>{_SLASH}(?:unsubscribe|intake|reset){_SLASH}+)(?!leads\b){_REST}(?:{_SLASH}{_REST})?
    | (?P<query>(?<![\w-]){_NAME}(?:=|%3D))(?:(?!%26)[^&\s"'\\])+
    | (?P<pair>(?<![\w-]){_NAME}\\?["']\s*:\s*\\?["'])[^"'\\]+
    | (?P<header>\b(?:Bearer|Basic)\s+)[\w.~+/=-]{{8,}}
    | eyJ[\w-]+\.[\w-]+\.[\w-]*
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redact(text: str) -> str:
    """The text with secrets in addresses, headers and name-value pairs replaced by `[redacted]`."""
    return _SECRETS.sub(lambda match: f"{match[match.lastgroup] if match.lastgroup else ''}{REDACTED}", text)


def current_request_id() -> str | None:
    """The id of the request or task that is being handled."""
    value: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return value


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Formats a line as JSON, or as colored text if `pretty`, without secrets."""

    def __init__(self, *, pretty: bool) -> None:
        renderer = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
        super().__init__(processor=renderer, foreign_pre_chain=_SHARED)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(level: str, *, pretty: bool) -> dict[str, Any]:
    """Configure structlog. Returns Django's LOGGING, which formats the standard library's loggers in the same way."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": Formatter, "pretty": pretty}},
        "filters": {"client_errors": {"()": ClientErrors}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["client_errors"]},
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {"django": {"level": level, "propagate": True}},
    }


class ClientErrors(logging.Filter):
    """Logs a client's error (a 4xx response) as one INFO line without a traceback: nobody needs to act on it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not 400 <= getattr(record, "status_code", 0) < 500:
            return True
        record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        return logging.getLogger().level <= logging.INFO
