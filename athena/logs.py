"""Logs: one JSON object a line, each with the request it belongs to; coloured text in development.

A request's id comes from the gateway (X-Request-ID) or is made here. It goes with the answer, with every line that is
logged on the way, and with the tasks that the request wakes.
"""

from typing import Any

import structlog


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
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {"django": {"level": level, "propagate": True}},
    }
