"""Requests that a client may not send, by rule of the Conventions in the contract, and the errors that it gets.

A case is written as it is sent. `$lead`, `$follow_up`, `$user` and `$source` stand for existing ids, `$token` and
`$refresh` for the tokens of an admin.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.hostile.values import (
    ACCEPTS,
    CONTENT_TYPES,
    FILTERS,
    FOLLOW_UP,
    FOLLOW_UPS,
    LEAD,
    LEAD_BODY,
    LEADS,
    LITERAL_SEARCHES,
    MEGABYTE,
    METHODS,
    NOT_JSON,
    PATHS,
    QUERIES,
    TOKENS,
    VALUES,
)

JSON = {"Authorization": "Bearer $token", "Content-Type": "application/json"}
NO_ROWS = "no rows"


@dataclass(frozen=True)
class Case:
    """A request and the expected response.

    `wrong` is the code of the error or the names of the invalid fields; for a 2xx it is empty or `NO_ROWS`.
    """

    rule: str
    method: str
    path: str
    body: bytes
    status: int
    wrong: str
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)

    def __str__(self) -> str:
        body_start = self.body[:60].decode("ascii", "backslashreplace")
        return f"{self.rule}: {self.method} {self.path[:80]} {body_start}".strip().replace("\0", "")


def find_error(response: object) -> str:
    """The error in the body of a response, written like `Case.wrong`."""
    if not isinstance(response, dict):
        return ""
    if "results" in response:
        return "" if response["results"] else NO_ROWS
    return str(response["code"]) if set(response) == {"detail", "code"} else " ".join(sorted(response))


def _values() -> Iterator[Case]:
    for rule, path, other_fields, name, values in VALUES:
        for value in values:
            body = f'{{{other_fields}, "{name}": {value}}}'.encode()
            yield Case(rule, "POST", path, body, 400, name)
    yield Case("unknown keys", "PATCH", LEAD, b'{"assigned_to_id": 1}', 400, "assigned_to_id")
    yield Case("unknown keys", "POST", "/auth/login", b'{"email": "a", "password": "b", "next": "/"}', 400, "next")
    yield Case("empty bodies", "POST", LEADS, b"", 400, "company_name")
    yield Case("empty bodies", "POST", LEADS, b"{}", 400, "company_name")
    yield Case("empty bodies", "POST", FOLLOW_UPS, b"", 400, "follow_up_type lead_id scheduled_date")
    yield Case("empty bodies", "POST", "/auth/login", b"", 400, "email password")


def _bodies() -> Iterator[Case]:
    for rule, bodies in NOT_JSON.items():
        for body in bodies:
            yield Case(rule, "POST", LEADS, body, 400, "parse_error")
    for path in (LEAD, FOLLOW_UP):
        yield Case("not JSON", "PATCH", path, b"{", 400, "parse_error")
        yield Case("not JSON", "DELETE", path, b"{", 400, "parse_error")
    for path in (f"{LEAD}/calculate-score", "/sales/scoring/recalculate-all"):
        yield Case("not JSON", "POST", path, b"[]", 400, "parse_error")
    for kind, body in CONTENT_TYPES:
        headers = {**JSON, "Content-Type": kind}
        yield Case("content types", "POST", LEADS, body, 415, "unsupported_media_type", headers)
    yield Case(
        "content types", "PATCH", LEAD, LEAD_BODY, 415, "unsupported_media_type", {**JSON, "Content-Type": "text/plain"}
    )
    for path, method in ((LEADS, "POST"), (LEAD, "PATCH"), (LEAD, "DELETE"), ("/auth/login", "POST")):
        yield Case("size", method, path, b'{"notes": "' + b"x" * MEGABYTE + b'"}', 413, "too_large")
    yield Case("size", "POST", LEADS, b'{"notes": "' + b"x" * (MEGABYTE - 13) + b'"}', 400, "notes")


def _queries() -> Iterator[Case]:
    for path, name, values in [*((LEADS, *row) for row in FILTERS.items()), *QUERIES]:
        for value in values:
            query = f"{name}={quote(value, safe='&=').replace('%25%25', '%')}"
            yield Case("parameters", "GET", f"{path}{'&' if '?' in path else '?'}{query}", b"", 400, name)
    yield Case("cursors", "GET", f"{LEADS}?ordering=score&cursor=$cursor", b"", 400, "cursor")
    yield Case("cursors", "GET", "/users?ordering=email&cursor=$cursor", b"", 400, "cursor")
    yield Case("cursors", "GET", "/users?cursor=$cursor.", b"", 400, "cursor")
    for value in LITERAL_SEARCHES:
        yield Case("wildcards", "GET", f"{LEADS}?search={quote(value)}", b"", 200, NO_ROWS)
    for path, method in (
        (LEADS, "POST"),
        (LEAD, "PATCH"),
        (LEAD, "DELETE"),
        (FOLLOW_UP, "DELETE"),
        ("/auth/login", "POST"),
    ):
        yield Case("parameters of changes", method, f"{path}?colour=red", b"{}", 400, "colour")
    for query, wrong in {
        "to_user_id=x": "to_user_id",
        "to_user_id=$user&to_user_id=$user": "to_user_id",
        "to_user_id=": "to_user_id",
        "to_user_id=$user&colour=red": "colour",
        "to_user_id=$user&reason=%00": "reason",
        "reason=x": "to_user_id",
        "to_user_id=999999999999": "not_found",
    }.items():
        status = 404 if wrong == "not_found" else 400
        yield Case("parameters of changes", "POST", f"{LEAD}/transfer?{query}", b"", status, wrong)
    clash = b'{"to_user_id": 999999999999}'
    yield Case("parameters of changes", "POST", f"{LEAD}/transfer?to_user_id=$user", clash, 400, "to_user_id")


def _addresses() -> Iterator[Case]:
    for path in PATHS:
        yield Case("addresses", "GET", path, b"", 404, "not_found")
    for key in ("0", "x", "999999999999", "9" * 40):
        yield Case("addresses", "PATCH", f"{LEADS}/{key}", LEAD_BODY, 404, "not_found")
        yield Case("addresses", "DELETE", f"{FOLLOW_UPS}/{key}", b"", 404, "not_found")
    for path, methods in METHODS.items():
        for method in methods:
            yield Case("methods", method, path, b"", 405, "method_not_allowed")
    yield Case("methods", "HEAD", LEADS, b"", 200, "")
    yield Case("methods", "HEAD", f"{LEADS}?colour=red", b"", 400, "")
    override = {**JSON, "X-HTTP-Method-Override": "DELETE"}
    yield Case("methods", "POST", f"{LEADS}?_method=DELETE", b"{}", 400, "_method", override)
    yield Case("methods", "POST", LEAD, b"", 405, "method_not_allowed", override)


def _headers() -> Iterator[Case]:
    for accept in ACCEPTS:
        yield Case("Accept", "GET", LEADS, b"", 406, "not_acceptable", {**JSON, "Accept": accept})
        yield Case("Accept", "POST", LEADS, LEAD_BODY, 406, "not_acceptable", {**JSON, "Accept": accept})
    yield Case("Accept", "GET", LEADS, b"", 200, "", {**JSON, "Accept": ""})
    for value, code in TOKENS.items():
        headers = {**JSON, "Authorization": value}
        yield Case("Authorization", "GET", LEADS, b"", 401, code, headers)
        yield Case("Authorization", "POST", LEADS, LEAD_BODY, 401, code, headers)
    cookie = {"Content-Type": "application/json", "Cookie": "sessionid=0123456789abcdef0123456789abcdef"}
    yield Case("Authorization", "POST", LEADS, LEAD_BODY, 401, "not_authenticated", cookie)
    for key in ("", "x" * 256, "é", "a\tb"):
        headers = {**JSON, "Idempotency-Key": key}
        yield Case("Idempotency-Key", "POST", LEADS, LEAD_BODY, 400, "Idempotency-Key", headers)
    for tag in ("7", '"7', "x", '"7" "8"'):
        yield Case("If-Match", "PATCH", LEAD, LEAD_BODY, 400, "If-Match", {**JSON, "If-Match": tag})
    for tag in ('"0"', 'W/"1"', '"x"', f'"{"9" * 400}"', '"１"'.encode().decode("latin-1")):
        yield Case("If-Match", "PATCH", LEAD, LEAD_BODY, 412, "changed", {**JSON, "If-Match": tag})
    for host in ("evil.example", "localhost@evil.example", "a b", "localhost:x"):
        yield Case("Host", "POST", LEADS, LEAD_BODY, 400, "bad_request", {**JSON, "Host": host})


CASES = [*_values(), *_bodies(), *_queries(), *_addresses(), *_headers()]
