"""Clients that send slowly or far too much, to any path, keep no thread busy for long and fill no disk.

The control: without the limit, clients with unfinished requests hold all threads and nobody else is served.
"""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.hostile.client import Web, start_web

pytestmark = pytest.mark.live

SECONDS, THREADS = 2, 4
PATHS = ["/api/v1/auth/login", "/api/v1/intake/leads", "/admin/login/", "/admin/sales/leadimport/add/", "/healthz"]
MEGABYTE = 1_048_576
MULTIPART = b"Content-Type: multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


def make_head(path: str, *headers: bytes, method: bytes = b"POST") -> bytes:
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, path.encode()), b"Host: localhost", *headers]) + b"\r\n\r\n"


def list_unfinished_requests(path: str) -> dict[str, bytes]:
    """By name, the data that a client sends before it stops or goes on byte by byte."""
    return {
        "half a head": b"POST " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nX-Long: a",
        "no body": make_head(path, b"Content-Length: 1000"),
        "half a body": make_head(path, b"Content-Length: 1000") + b'{"email": "',
        "half a file": make_head(path, b"Content-Length: 100000", MULTIPART) + PART,
        "no chunk": make_head(path, b"Transfer-Encoding: chunked"),
        "half a chunk": make_head(path, b"Transfer-Encoding: chunked") + b"fff\r\nabc",
    }


@contextmanager
def connect(port: int, data: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with suppress(OSError):  # the server may respond before everything is sent
            connection.sendall(data)
        yield connection


def read_status(connection: socket.socket, drip: bytes = b"") -> int:
    """The status of the response; until it comes, `drip` is sent again and again."""
    start, received = time.monotonic(), b""
    connection.settimeout(0.2)
    while not received and time.monotonic() < start + 60:
        with suppress(OSError):
            connection.sendall(drip)
        with suppress(TimeoutError):
            received = connection.recv(65_536)
    return int(received.split()[1])


def is_served(port: int, seconds: float) -> bool:
    with connect(port, make_head("/healthz", method=b"GET")) as connection:
        connection.settimeout(seconds)
        try:
            return b" 200 " in connection.recv(65_536)
        except TimeoutError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("slow")
    with start_web(folder, WEB_THREADS=str(THREADS), WEB_READ_SECONDS=str(SECONDS)) as started:
        yield started


@pytest.mark.parametrize("drip", [b"", b"a"], ids=["silent", "byte by byte"])
def test_a_request_that_takes_too_long_is_408(server: Web, drip: bytes) -> None:
    requests = [(path, name, data) for path in PATHS for name, data in list_unfinished_requests(path).items()]

    def read_case_status(request: tuple[str, str, bytes]) -> int:
        with connect(server.port, request[2]) as connection:
            return read_status(connection, drip)

    with ThreadPoolExecutor(len(requests)) as clients:
        statuses = list(clients.map(read_case_status, requests))
    assert [(*request[:2], status) for request, status in zip(requests, statuses, strict=True) if status != 408] == []


def hold_all_threads(stack: ExitStack, port: int) -> None:
    for _ in range(2 * THREADS):
        stack.enter_context(connect(port, make_head("/admin/login/", b"Content-Length: 1000") + b"username="))


def test_other_clients_are_served_soon(server: Web) -> None:
    with ExitStack() as stack:
        hold_all_threads(stack, server.port)
        assert is_served(server.port, 60)


def test_without_the_limit_other_clients_are_not_served(tmp_path: Path) -> None:
    with start_web(tmp_path, WEB_THREADS=str(THREADS), WEB_READ_SECONDS="3600") as slow_server:
        with ExitStack() as stack:
            hold_all_threads(stack, slow_server.port)
            assert not is_served(slow_server.port, 3 * SECONDS)
        assert is_served(slow_server.port, 60)


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_announced_too_large_is_413_before_it_is_sent(server: Web, path: str) -> None:
    for length in (MEGABYTE + 1, 20 * MEGABYTE, 300 * MEGABYTE):
        with connect(server.port, make_head(path, b"Content-Length: %d" % length, MULTIPART)) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert read_status(connection) == 413


@pytest.mark.parametrize("path", PATHS)
def test_a_streamed_body_is_413_at_the_limit(server: Web, path: str) -> None:
    chunk = b"10000\r\n" + PART + b"x" * (65_536 - len(PART)) + b"\r\n"
    with connect(server.port, make_head(path, b"Transfer-Encoding: chunked", MULTIPART) + chunk * 17) as connection:
        assert read_status(connection) == 413


def test_a_user_who_may_import_can_upload_twenty_megabytes(server: Web) -> None:
    cookie = get_session_cookie(server, "manager")
    for size, status in (
        (2 * MEGABYTE, 403),
        (20 * MEGABYTE + 1, 413),
    ):  # 403: the body was read, and has no CSRF token
        body = PART + b"x" * (size - len(PART))
        data = make_head("/admin/sales/leadimport/add/", b"Content-Length: %d" % size, MULTIPART, cookie) + body
        with connect(server.port, data) as connection:
            assert read_status(connection) == status
    for name, path in (("maria", "/admin/sales/leadimport/add/"), ("manager", "/admin/sales/lead/add/")):
        with connect(
            server.port, make_head(path, b"Content-Length: 2097152", get_session_cookie(server, name))
        ) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert read_status(connection) == 413


def get_session_cookie(server: Web, name: str) -> bytes:
    """Log in to the admin. Returns the Cookie header."""
    csrf_cookie = f"Cookie: csrftoken={'a' * 32}".encode()
    body = f"username={name}@example.com&password={name}123&csrfmiddlewaretoken={'a' * 32}".encode()
    head = make_head(
        "/admin/login/",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: %d" % len(body),
        csrf_cookie,
        b"Connection: close",
    )
    with connect(server.port, head + body) as connection:
        text = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    assert " 302 " in text, text
    return b"Cookie: sessionid=" + text.partition("sessionid=")[2].partition(";")[0].encode()


def test_a_timeout_in_the_api_is_json(server: Web) -> None:
    with connect(
        server.port, make_head("/api/v1/auth/login", b"Content-Length: 9", b"Connection: close")
    ) as connection:
        text = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert json.loads(text.partition(b"\r\n\r\n")[2]) == {"detail": "The body arrived too slowly.", "code": "too_slow"}
