"""Rendering of JSON, and which renderer a request gets."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from athena.api.renderers import JSONRenderer, Negotiation


def test_values_are_written_as_in_the_contract():
    value = {
        "money": Decimal("9999999999.99"),
        "at": datetime(2026, 5, 1, 9, 30, tzinfo=UTC),
        "day": date(2026, 5, 1),
        "clock": time(9, 30),
        "text": "é😀",
    }
    assert json.loads(JSONRenderer().render(value)) == {
        "money": 9999999999.99,
        "at": "2026-05-01T09:30:00+00:00",
        "day": "2026-05-01",
        "clock": "09:30:00",
        "text": "é😀",
    }


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        (None, "json"), ("", "json"), ("*/*", "json"), ("application/json", "json"), ("application/*", "json"),
        ("application/json; charset=utf-8", "json"), ("text/plain, application/json;q=0.5", "json"),
        ("text/plain, */*;q=0.1", "json"), (BROWSER, "api"), ("text/html", "api"),
        ("text/plain", None), ("application/xml", None), ("nonsense", None), ("application/json;q=0", None),
        ("text/csv, application/json; q=0.0", None),
    ],
)  # fmt: skip
def test_the_accept_header_chooses_the_renderer(accept, format):  # noqa: A002
    request = Request(APIRequestFactory().get("/", **({} if accept is None else {"HTTP_ACCEPT": accept})))
    try:
        chosen = Negotiation().select_renderer(request, [JSONRenderer(), BrowsableAPIRenderer()])[0].format
    except NotAcceptable:
        chosen = None
    assert chosen == format
