"""Reads requests from connections: each within a limit of time, and none without a host.

A client that sends its head or body slowly would hold a thread of the web process for as long as it likes. Here the
seconds that the server spends waiting for a request are added up, however the bytes are spread over them.
"""

import socket
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from gunicorn import util
from gunicorn.http.errors import InvalidHeader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader

logger = structlog.get_logger(__name__)

BYTES_PER_SECOND = 32_768  # a body that comes at least as fast as this is never too slow
SEND_SECONDS = 60.0  # for the client to take each part of an answer


class TimedUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads from a socket, and raises `TimeoutError` once a request has made it wait for too long in all.

    Allowed are `seconds`, and one more for each `BYTES_PER_SECOND` bytes that have arrived.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        super().__init__(sock)
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start to count anew: what follows is another request."""
        self._waited, self._received = 0.0, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        left = self._seconds + self._received / BYTES_PER_SECOND - self._waited
        if left <= 0:
            raise TimeoutError("The request came too slowly.")
        before, start = self.sock.gettimeout(), time.monotonic()
        self.sock.settimeout(left if before is None else min(left, before))
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self._waited += time.monotonic() - start
            self.sock.settimeout(before)
        self._received += len(data)
        return data


class TimedParser(RequestParser):  # type: ignore[misc]
    """Gunicorn's parser, which answers 408 to a head that comes too slowly and refuses a request without a host."""

    def __init__(self, cfg: Any, sock: socket.socket, address: Any, seconds: float) -> None:
        super().__init__(cfg, sock, address)
        self.unreader = TimedUnreader(sock, seconds)

    def __next__(self) -> Request:
        self.unreader.begin()
        try:
            request = super().__next__()
        except TimeoutError as error:
            logger.info("request_too_slow", address=str(self.source_addr))
            util.write_error(self.unreader.sock, 408, "Request Timeout", "The request came too slowly.")
            raise StopIteration from error
        require_host(request)
        self.unreader.sock.settimeout(SEND_SECONDS)
        return request


def require_host(request: Request) -> None:
    """That the request names its host, as RFC 9112 (3.2) has it. Raises `InvalidHeader` (400).

    Whether it is a host of ours, Django asks. HTTP/1.0 may leave it out. Where the address itself is absolute, it must
    name the same host.
    """
    host = next((value for name, value in request.headers if name == "HOST"), None)
    if host is None and request.version < (1, 1):
        return
    if host is None:
        raise InvalidHeader("Host", req=request)
    if not request.uri.startswith("/") and urlsplit(request.uri).netloc.lower() not in ("", host.lower()):
        raise InvalidHeader("Host", req=request)
