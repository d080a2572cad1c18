"""Raw requests with a false length, chunks or headers cause no server error (5xx) and change nothing."""

import json

import pytest

from tests.hostile.client import Web, fill_in_bytes, send_raw
from tests.hostile.table import find_error
from tests.hostile.values import MEGABYTE

pytestmark = pytest.mark.live

BODY = b'{"company_name": "Hostile"}'
LARGE_BODY = b'{"notes": "' + b"x" * MEGABYTE + b'"}'
CHUNKED = b"Transfer-Encoding: chunked"
NO_API_ERROR = ""  # gunicorn refuses it before Athena gets a request


def post(*headers: bytes, body: bytes) -> bytes:
    return request(b"POST", b"/api/v1/sales/leads", *headers) + body


def request(method: bytes, path: bytes, *headers: bytes) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: localhost", b"Authorization: Bearer $token",
             b"Content-Type: application/json", b"Connection: close", *headers]  # fmt: skip
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunks(body: bytes, size: int = 65_536) -> bytes:
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def length(number: int | str) -> bytes:
    return f"Content-Length: {number}".encode()


CASES: dict[str, tuple[bytes, int, str]] = {
    "announced, too large": (post(length(len(LARGE_BODY)), body=LARGE_BODY), 413, "too_large"),
    "announced, too large, never sent": (post(length(2 * MEGABYTE), body=BODY), 413, "too_large"),
    "announced, beyond measure": (post(length("9" * 30), body=BODY), 413, "too_large"),
    "chunked, too large": (post(CHUNKED, body=chunks(LARGE_BODY)), 413, "too_large"),
    "chunked, far too large": (post(CHUNKED, body=chunks(b" " * 20 * MEGABYTE)), 413, "too_large"),
    "chunked, read like any other": (post(CHUNKED, body=chunks(b'{"a": 1, "a": 2}', 3)), 400, "parse_error"),
    "chunked, of no size": (post(CHUNKED, body=b"zz\r\nabc\r\n0\r\n\r\n"), 400, "unreadable"),
    "chunked, of a size below zero": (post(CHUNKED, body=b"-5\r\nabc\r\n0\r\n\r\n"), 400, "unreadable"),
    "chunked, cut off": (post(CHUNKED, body=b"1b\r\n" + BODY[:9]), 400, "unreadable"),
    "chunked, without an end": (post(CHUNKED, body=b"1b\r\n" + BODY + b"\r\n"), 400, "unreadable"),
    "a whole object, but shorter than announced": (post(length(len(BODY) + 9), body=BODY), 400, "unreadable"),
    "longer than announced": (post(length(10), body=BODY), 400, "parse_error"),
    "of length 0": (post(length(0), body=BODY), 400, "company_name"),
    "without a length": (post(body=BODY), 400, "company_name"),
    "of length -5": (post(length(-5), body=BODY), 400, NO_API_ERROR),
    "of length abc": (post(length("abc"), body=BODY), 400, NO_API_ERROR),
    "of length +27": (post(length("+27"), body=BODY), 400, NO_API_ERROR),
    "of two lengths": (post(length(27), length(5), body=BODY), 400, NO_API_ERROR),
    "chunked and of a length": (post(CHUNKED, length(5), body=chunks(BODY)), 400, NO_API_ERROR),
    "another request in the body": (
        post(length(2), body=b"{}") + request(b"DELETE", b"/api/v1/sales/leads/$lead"), 400, "company_name",
    ),
    "a very long address": (request(b"GET", b"/api/v1/users?search=" + b"x" * 9_000), 414, NO_API_ERROR),
    "a very long header": (request(b"GET", b"/api/v1/users", b"X-Long: " + b"x" * 20_000), 431, NO_API_ERROR),
    "very many headers": (request(b"GET", b"/api/v1/users", *(b"X-%d: 1" % n for n in range(200))), 431, NO_API_ERROR),
    "a line break in the address": (request(b"GET", b"/api/v1/users?search=a\r\nX: y"), 400, NO_API_ERROR),
    "bytes beyond ASCII in the address": (request(b"GET", b"/api/v1/users?search=\xff"), 400, NO_API_ERROR),
    "a header that goes on in the next line": (request(b"GET", b"/api/v1/users", b"X: 1\r\n 2"), 400, NO_API_ERROR),
    "a NUL in a header": (request(b"GET", b"/api/v1/users", b"X: a\0b"), 400, NO_API_ERROR),
    "a space in a header's name": (request(b"GET", b"/api/v1/users", b"X : 1"), 400, NO_API_ERROR),
    "two hosts": (request(b"GET", b"/api/v1/users", b"Host: evil.example"), 400, NO_API_ERROR),
    "no host": (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400, NO_API_ERROR),
    "no host, and a body": (b"POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400, NO_API_ERROR),
    "an empty host": (b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 400, NO_API_ERROR),
    "the same host twice": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, NO_API_ERROR),
    "two hosts in one": (b"GET /healthz HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n", 400, NO_API_ERROR),
    "a host with a user": (b"GET /healthz HTTP/1.1\r\nHost: a@localhost\r\n\r\n", 400, NO_API_ERROR),
    "a host with a path": (b"GET /healthz HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400, NO_API_ERROR),
    "a host with spaces": (b"GET /healthz HTTP/1.1\r\nHost: local host\r\n\r\n", 400, NO_API_ERROR),
    "a host beyond ASCII": (b"GET /healthz HTTP/1.1\r\nHost: l\xf6calhost\r\n\r\n", 400, NO_API_ERROR),
    "a static file, without a host": (b"GET /static/x.css HTTP/1.1\r\n\r\n", 400, NO_API_ERROR),
    "an absolute address of another host": (
        b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, NO_API_ERROR,
    ),
    "an absolute address with a user": (
        b"GET http://a@localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, NO_API_ERROR,
    ),
    "no version of HTTP": (b"GET /api/v1/users\r\n\r\n", 400, NO_API_ERROR),
    "a version of HTTP to come": (b"GET /api/v1/users HTTP/3.0\r\nHost: localhost\r\n\r\n", 400, NO_API_ERROR),
    "not HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, NO_API_ERROR),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_false_request_is_refused(server: Web, names, is_unchanged, name: str) -> None:
    raw_request, status, wrong = CASES[name]
    status_code, headers, body = send_raw(server.port, fill_in_bytes(raw_request, names))
    code = find_error(json.loads(body)) if headers["Content-Type"] == "application/json" else NO_API_ERROR
    assert status_code == status
    assert code == wrong
    assert is_unchanged() is True


@pytest.mark.parametrize(
    "raw_request",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n\r\n",
        b"GET http://LOCALHOST/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\n\r\n",
    ],
)
def test_a_request_with_a_valid_host_is_accepted(server: Web, raw_request: bytes) -> None:
    assert send_raw(server.port, raw_request)[0] == 200


FORGED_HEADERS = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Ssl": "on",
    "SCRIPT_NAME": "/admin",
    "PATH_INFO": "/admin/",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "198.51.100.1",
    "Forwarded": "proto=https;host=evil.example",
    "X-Script-Name": "/evil",
}


@pytest.mark.parametrize("name", FORGED_HEADERS)
def test_a_forwarding_header_from_this_machine_changes_no_url(server: Web, names, name: str) -> None:
    """TRUSTED_HOPS says how many proxies to trust, and here it is 0."""

    def send_request(path: bytes, *headers: bytes) -> tuple[int, dict[str, str], bytes]:
        raw_request = request(b"GET", path, *headers)
        status, status_code, body = send_raw(server.port, fill_in_bytes(raw_request, names))
        return (
            status,
            {key: status_code[key] for key in status_code if key in ("Location", "Set-Cookie", "Content-Type")},
            body.partition(b"cursor=")[0],
        )

    forged = f"{name}: {FORGED_HEADERS[name]}".encode()
    for path in (b"/api/v1/sales/leads?limit=1", b"/admin/", b"/healthz", b"/"):
        assert send_request(path, forged) == send_request(path)
