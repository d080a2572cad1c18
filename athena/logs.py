"""Logs: one JSON object a line, each with the request it belongs to; coloured text in development.

A request's id comes from the gateway (X-Request-ID) or is made here. It goes with the answer, with every line that is
logged on the way, and with the tasks that the request wakes.
"""

import logging
from typing import Any

import structlog


def request_id() -> str | None:
    """Of the request, or the task, that is being worked on."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def configure(level: str, *, pretty: bool) -> dict[str, Any]:
    """Set structlog up. Returns Django's LOGGING, by which the standard library's loggers speak the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
                "foreign_pre_chain": shared,
            }
        },
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
