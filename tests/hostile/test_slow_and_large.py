"""Clients that send slowly, or far too much, to any address: they hold nobody's thread and fill nobody's disk.

While clients that have not finished hold all threads of the server, nobody else is answered: that is the control.
"""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.hostile.client import Web, web

pytestmark = pytest.mark.live

SECONDS, THREADS = 2, 4
ADDRESSES = ["/api/v1/auth/login", "/api/v1/intake/leads", "/admin/login/", "/admin/sales/leadimport/add/", "/healthz"]
MEGABYTE = 1_048_576
MULTIPART = b"Content-Type: multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


def head(path: str, *headers: bytes, method: bytes = b"POST") -> bytes:
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, path.encode()), b"Host: localhost", *headers]) + b"\r\n\r\n"


def half_sent(path: str) -> dict[str, bytes]:
    """What is sent before the client falls silent, or goes on byte by byte."""
    return {
        "half a head": b"POST " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nX-Long: a",
        "no body": head(path, b"Content-Length: 1000"),
        "half a body": head(path, b"Content-Length: 1000") + b'{"email": "',
        "half a file": head(path, b"Content-Length: 100000", MULTIPART) + PART,
        "no chunk": head(path, b"Transfer-Encoding: chunked"),
        "half a chunk": head(path, b"Transfer-Encoding: chunked") + b"fff\r\nabc",
    }


@contextmanager
def connect(port: int, sent: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with suppress(OSError):  # the answer may come before all is sent
            connection.sendall(sent)
        yield connection


def response(connection: socket.socket, drip: bytes = b"") -> int:
    """The status of the answer, while `drip` is sent again and again."""
    start, found = time.monotonic(), b""
    connection.settimeout(0.2)
    while not found and time.monotonic() < start + 60:
        with suppress(OSError):
            connection.sendall(drip)
        with suppress(TimeoutError):
            found = connection.recv(65_536)
    return int(found.split()[1])


def is_served(port: int, seconds: float) -> bool:
    with connect(port, head("/healthz", method=b"GET")) as connection:
        connection.settimeout(seconds)
        try:
            return b" 200 " in connection.recv(65_536)
        except TimeoutError:
            return False


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("slow")
    with web(folder, WEB_THREADS=str(THREADS), WEB_READ_SECONDS=str(SECONDS)) as started:
        yield started


@pytest.mark.parametrize("drip", [b"", b"a"], ids=["silent", "byte by byte"])
def test_a_request_that_takes_too_long_in_all_is_408(impatient: Web, drip: bytes) -> None:
    cases = [(path, name, sent) for path in ADDRESSES for name, sent in half_sent(path).items()]

    def ask(case: tuple[str, str, bytes]) -> int:
        with connect(impatient.port, case[2]) as connection:
            return response(connection, drip)

    with ThreadPoolExecutor(len(cases)) as clients:
        statuses = list(clients.map(ask, cases))
    assert [(*case[:2], status) for case, status in zip(cases, statuses, strict=True) if status != 408] == []


def hold(stack: ExitStack, port: int) -> None:
    for _ in range(2 * THREADS):
        stack.enter_context(connect(port, head("/admin/login/", b"Content-Length: 1000") + b"username="))


def test_others_are_served_soon(impatient: Web) -> None:
    with ExitStack() as stack:
        hold(stack, impatient.port)
        assert is_served(impatient.port, 60)


def test_without_the_limit_they_are_not(tmp_path: Path) -> None:
    with web(tmp_path, WEB_THREADS=str(THREADS), WEB_READ_SECONDS="3600") as patient:
        with ExitStack() as stack:
            hold(stack, patient.port)
            assert not is_served(patient.port, 3 * SECONDS)
        assert is_served(patient.port, 60)


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_is_announced_too_large_is_413_before_it_is_sent(impatient: Web, path: str) -> None:
    for length in (MEGABYTE + 1, 20 * MEGABYTE, 300 * MEGABYTE):
        with connect(impatient.port, head(path, b"Content-Length: %d" % length, MULTIPART)) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert response(connection) == 413


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_is_streamed_is_413_at_the_limit(impatient: Web, path: str) -> None:
    chunk = b"10000\r\n" + PART + b"x" * (65_536 - len(PART)) + b"\r\n"
    with connect(impatient.port, head(path, b"Transfer-Encoding: chunked", MULTIPART) + chunk * 17) as connection:
        assert response(connection) == 413


def test_who_may_import_sends_twenty_megabytes_and_no_more(impatient: Web) -> None:
    cookie = logged_in(impatient, "manager")
    for size, status in ((2 * MEGABYTE, 403), (20 * MEGABYTE + 1, 413)):  # 403: it was read, and had no CSRF token
        body = PART + b"x" * (size - len(PART))
        sent = head("/admin/sales/leadimport/add/", b"Content-Length: %d" % size, MULTIPART, cookie) + body
        with connect(impatient.port, sent) as connection:
            assert response(connection) == status
    for name, path in (("maria", "/admin/sales/leadimport/add/"), ("manager", "/admin/sales/lead/add/")):
        with connect(impatient.port, head(path, b"Content-Length: 2097152", logged_in(impatient, name))) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert response(connection) == 413


def logged_in(server: Web, name: str) -> bytes:
    """The Cookie header of somebody who has logged in to the admin, through the API's session-free door there."""
    page = {"Cookie": "csrftoken=" + "a" * 32}
    body = f"username={name}@example.com&password={name}123&csrfmiddlewaretoken={'a' * 32}".encode()
    with connect(
        server.port,
        head("/admin/login/", b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body),
             f"Cookie: {page['Cookie']}".encode(), b"Connection: close") + body,
    ) as connection:  # fmt: skip
        text = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    assert " 302 " in text, text
    return b"Cookie: sessionid=" + text.partition("sessionid=")[2].partition(";")[0].encode()


def test_a_refused_page_of_the_api_is_json(impatient: Web) -> None:
    with connect(impatient.port, head("/api/v1/auth/login", b"Content-Length: 9", b"Connection: close")) as connection:
        text = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert json.loads(text.partition(b"\r\n\r\n")[2]) == {"detail": "The body arrived too slowly.", "code": "too_slow"}
