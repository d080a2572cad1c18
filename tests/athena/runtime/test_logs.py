"""A client's mistake is one quiet line; ours keeps its trace."""

import logging

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.utils.log import log_response

from athena.runtime.logs import ClientErrors


@pytest.fixture
def written():
    """What passes the filter, as level and whether there is a trace; None for what does not."""
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
def test_a_client_error_is_one_line(written, status):
    assert written(status, ValueError("x")) == ("INFO", False)


def test_an_attack_too(written):
    assert written(400, SuspiciousOperation("x"), level="error") == ("INFO", False)


def test_our_own_error_keeps_its_trace(written):
    assert written(500, ValueError("x")) == ("ERROR", True)


def test_nothing_of_it_where_only_warnings_are_wanted(written, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    assert written(404, ValueError("x")) is None
    assert written(500, ValueError("x")) == ("ERROR", True)


def test_other_records_pass():
    assert ClientErrors().filter(logging.makeLogRecord({"levelno": logging.DEBUG}))


def test_the_console_has_the_filter():
    handlers = logging.getLogger().handlers
    assert any(isinstance(each, ClientErrors) for handler in handlers for each in handler.filters)
