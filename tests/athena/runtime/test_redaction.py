"""No log line contains a secret from a URL, a header or a form."""

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
ID_PARAMETERS = {"int", "pk", "lead_id"}  # parameters of routes that are ids
REDACTED = {  # a log line, and the same line without its secrets
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
def console():
    """The text that the console shows."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Formatter(pretty=False))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def list_secret_urls(patterns=urlpatterns, prefix="/"):
    """Yield each URL outside the admin that has a parameter other than an id, with the secret as its value."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from () if route.startswith("/admin/") else list_secret_urls(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            parts = re.findall(r"<(?:(\w+):)?(\w+)>|\(\?P<(\w+)>([^)]+)\)", route)
            if any(kind != "int" and not rule.startswith("[0-9]") for kind, _, _, rule in parts):
                path = re.sub(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]+\)", SECRET, route)
                yield path.replace("^", "").replace("\\Z", "").replace("$", "")


@pytest.mark.parametrize("line", REDACTED)
def test_secrets_are_replaced_in_a_line(line):
    assert logs.redact(line) == REDACTED[line]


def test_urls_with_secrets_are_found():
    assert len(get_resolver().url_patterns) == len(urlpatterns)
    assert {path.split("/W")[0] for path in list_secret_urls()} == {"/intake", "/unsubscribe", "/api/v1/unsubscribe"}


SECRET_QUERIES = ("api/v1/sales/follow-ups/calendar.ics?token=", "nothing?token=", "admin/login/?next=/unsubscribe/")


@pytest.mark.parametrize("path", [*list_secret_urls(), *(f"/{query}{ENCODED}" for query in SECRET_QUERIES)])
def test_a_request_leaves_no_secret_in_the_log(db, console, path):
    for method in ("GET", "POST", "PUT"):
        for url in (path, f"{path}/", f"{path}//x"):
            Client(raise_request_exception=False).generic(method, url, headers={"Referer": f"http://x{path}"})
    output = console.getvalue()
    assert '"event": "request"' in output
    assert "secretpart" not in output


def test_an_error_of_ours_leaves_no_secret_in_the_log(console):
    try:
        raise ValueError(f"/unsubscribe/{SECRET}")
    except ValueError:
        logging.getLogger("gunicorn.error").exception("Error handling request %s", f"/x?token={SECRET}")
    assert "ValueError" in console.getvalue()
    assert "secretpart" not in console.getvalue()
