"""Logs: one JSON object a line, each with the request it belongs to; coloured text in development.

A request's id comes from the gateway (X-Request-ID) or is made here. It goes with the answer, with every line that is
logged on the way, and with the tasks that the request wakes. No line holds a secret that an address or a header has.
"""

import logging
import re
from typing import Any

import structlog

REDACTED = "[redacted]"
_SLASH, _NAME = r"(?:/|%2F)", r"(?:[\w-]*(?:token|secret|password|passwd|signature)|(?:api[_-]?)?key|sessionid)"
_REST = r"""(?:(?!%2F|%26)[^/\s"'?&\\])+"""  # of a part of an address, encoded or not
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
    """The text without what is secret in addresses, headers and pairs of name and value."""
    return _SECRETS.sub(lambda match: f"{match[match.lastgroup] if match.lastgroup else ''}{REDACTED}", text)


def current_request_id() -> str | None:
    """Of the request, or the task, that is being worked on."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


class Formatter(structlog.stdlib.ProcessorFormatter):
    """A line as it is written: JSON, or coloured text where `pretty`, without secrets."""

    def __init__(self, *, pretty: bool) -> None:
        renderer = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
        super().__init__(processor=renderer, foreign_pre_chain=_SHARED)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(level: str, *, pretty: bool) -> dict[str, Any]:
    """Set structlog up. Returns Django's LOGGING, by which the standard library's loggers speak the same way."""
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
    """A client's mistake (an answer of 4xx) is one line of information, without a trace: nobody need act on it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not 400 <= getattr(record, "status_code", 0) < 500:
            return True
        record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        return logging.getLogger().level <= logging.INFO
