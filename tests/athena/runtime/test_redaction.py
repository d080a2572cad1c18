"""No line of the log holds a secret that an address, a header or a form has."""

import json
import logging
import re
from io import StringIO

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from athena.runtime import logs
from athena.urls import urlpatterns

SECRET = "WzcsImxlYWQiXQ:q2Zs-_Yk4h1rXtD0secretpart"
ENCODED = SECRET.replace(":", "%3A")
NUMBERS = {"int", "pk", "lead_id"}  # parts of addresses that are ids
WRITTEN = {  # where secrets stand, and what is left of the line
    f"Not Found: /unsubscribe/{SECRET}": "Not Found: /unsubscribe/[redacted]",
    f"/api/v1/unsubscribe/{ENCODED}?x=1": "/api/v1/unsubscribe/[redacted]?x=1",
    f"Not Found: /api/v1/unsubscribe//{SECRET}": "Not Found: /api/v1/unsubscribe//[redacted]",
    f"GET /intake/{SECRET}/thanks/?reference=AB12 HTTP/1.1": "GET /intake/[redacted]/?reference=AB12 HTTP/1.1",
    f"/api/v1/sales/follow-ups/calendar.ics?token={SECRET}&a=1":
        "/api/v1/sales/follow-ups/calendar.ics?token=[redacted]&a=1",
    f"/admin/login/?next=%2Funsubscribe%2F{ENCODED}": "/admin/login/?next=%2Funsubscribe%2F[redacted]",
    f"/admin/login/?next=/x%3Ftoken%3D{ENCODED}": "/admin/login/?next=/x%3Ftoken%3D[redacted]",
    f"/reset/MQ/{SECRET}/": "/reset/[redacted]/",
    f"Authorization: Bearer {SECRET.replace(':', '.')}": "Authorization: Bearer [redacted]",
    f"{{'refresh_token': '{SECRET}', 'a': 1}}": "{'refresh_token': '[redacted]', 'a': 1}",
    json.dumps({"event": json.dumps({"key": SECRET})}): json.dumps({"event": json.dumps({"key": "[redacted]"})}),
    "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl": "[redacted]",
    "POST /api/v1/intake/leads 202": "POST /api/v1/intake/leads 202",
    "idempotency_keys=5, next_cursor=abc, monkey=1": "idempotency_keys=5, next_cursor=abc, monkey=1",
}  # fmt: skip


@pytest.fixture
def lines():
    """What the console shows."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Formatter(pretty=False))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def secret_addresses(patterns=urlpatterns, before="/"):
    """Every address outside the admin with a part that is not an id, with the secret in its place."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from () if route.startswith("/admin/") else secret_addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            parts = re.findall(r"<(?:(\w+):)?(\w+)>|\(\?P<(\w+)>([^)]+)\)", route)
            if any(kind != "int" and not rule.startswith("[0-9]") for kind, _, _, rule in parts):
                path = re.sub(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]+\)", SECRET, route)
                yield path.replace("^", "").replace("\\Z", "").replace("$", "")


@pytest.mark.parametrize("line", WRITTEN)
def test_what_is_left_of_a_line(line):
    assert logs.redact(line) == WRITTEN[line]


def test_addresses_with_secrets_are_found():
    assert len(get_resolver().url_patterns) == len(urlpatterns)
    assert {path.split("/W")[0] for path in secret_addresses()} == {"/intake", "/unsubscribe", "/api/v1/unsubscribe"}


QUERIES = ("api/v1/sales/follow-ups/calendar.ics?token=", "nothing?token=", "admin/login/?next=/unsubscribe/")


@pytest.mark.parametrize("path", [*secret_addresses(), *(f"/{query}{ENCODED}" for query in QUERIES)])
def test_a_request_leaves_no_secret_in_the_log(db, lines, path):
    for method in ("GET", "POST", "PUT"):
        for address in (path, f"{path}/", f"{path}//x"):
            Client(raise_request_exception=False).generic(method, address, headers={"Referer": f"http://x{path}"})
    written = lines.getvalue()
    assert '"event": "request"' in written
    assert "secretpart" not in written


def test_neither_does_a_fault_of_ours(lines):
    try:
        raise ValueError(f"/unsubscribe/{SECRET}")
    except ValueError:
        logging.getLogger("gunicorn.error").exception("Error handling request %s", f"/x?token={SECRET}")
    assert "ValueError" in lines.getvalue()
    assert "secretpart" not in lines.getvalue()
