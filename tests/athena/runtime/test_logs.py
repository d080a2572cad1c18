"""An error of a client is one line at level INFO; an error of ours keeps its traceback."""

import logging

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.utils.log import log_response

from athena.runtime.logs import ClientErrors


@pytest.fixture
def log_error():
    """A function that logs a response. Returns its level and whether it has a traceback; None if it is dropped."""
    records: list[logging.LogRecord] = []
    logger = logging.Logger("django.request")
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    handler.addFilter(ClientErrors())
    logger.addHandler(handler)

    def log(status, error, **options):
        records.clear()
        log_response(
            "No: %s", "/api/v1/x", response=HttpResponse(status=status), exception=error, logger=logger, **options
        )
        return (records[0].levelname, records[0].exc_info is not None) if records else None

    return log


@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_a_client_error_is_one_line(log_error, status):
    assert log_error(status, ValueError("x")) == ("INFO", False)


def test_a_suspicious_request_is_one_line(log_error):
    assert log_error(400, SuspiciousOperation("x"), level="error") == ("INFO", False)


def test_an_error_of_ours_keeps_its_traceback(log_error):
    assert log_error(500, ValueError("x")) == ("ERROR", True)


def test_a_client_error_is_not_logged_at_level_warning(log_error, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    assert log_error(404, ValueError("x")) is None
    assert log_error(500, ValueError("x")) == ("ERROR", True)


def test_the_filter_keeps_other_records():
    assert ClientErrors().filter(logging.makeLogRecord({"levelno": logging.DEBUG}))


def test_the_console_has_the_filter():
    handlers = logging.getLogger().handlers
    assert any(isinstance(log_filter, ClientErrors) for handler in handlers for log_filter in handler.filters)
