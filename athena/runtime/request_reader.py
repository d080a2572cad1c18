"""Reads requests from connections, with a time limit, and refuses requests without a Host header.

A client that sends its headers or body slowly would occupy a thread of the web process for as long as it likes. So the
reader adds up the seconds that the server waits for a request, however the bytes are spread over them.
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

BYTES_PER_SECOND = 32_768  # a body that arrives at least this fast is never too slow
SEND_SECONDS = 60.0  # for the client to read each part of a response


class TimedUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads from a socket and raises `TimeoutError` once a request has made the server wait too long in total.

    The limit is `seconds`, plus one second for each `BYTES_PER_SECOND` bytes that have arrived.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        super().__init__(sock)
        self._seconds = seconds
        self.restart_clock()

    def restart_clock(self) -> None:
        """Start counting again for the next request of the connection."""
        self._waited, self._received = 0.0, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        left = self._seconds + self._received / BYTES_PER_SECOND - self._waited
        if left <= 0:
            raise TimeoutError("The request arrived too slowly.")
        timeout, start = self.sock.gettimeout(), time.monotonic()
        self.sock.settimeout(left if timeout is None else min(left, timeout))
        try:
            data: bytes = super().chunk(size_hint)
        finally:
            self._waited += time.monotonic() - start
            self.sock.settimeout(timeout)
        self._received += len(data)
        return data


class TimedParser(RequestParser):  # type: ignore[misc]
    """Gunicorn's parser, extended: headers that arrive too slowly get 408, a request without a host 400."""

    def __init__(self, cfg: Any, sock: socket.socket, address: Any, seconds: float) -> None:
        super().__init__(cfg, sock, address)
        self.unreader = TimedUnreader(sock, seconds)

    def __next__(self) -> Request:
        self.unreader.restart_clock()
        try:
            request = super().__next__()
        except TimeoutError as error:
            logger.info("request_too_slow", address=str(self.source_addr))
            util.write_error(self.unreader.sock, 408, "Request Timeout", "The request arrived too slowly.")
            raise StopIteration from error
        require_host(request)
        self.unreader.sock.settimeout(SEND_SECONDS)
        return request


def require_host(request: Request) -> None:
    """Check that the request names its host, as RFC 9112 (3.2) requires. Raises `InvalidHeader` (400).

    HTTP/1.0 may leave it out. An absolute request URL must name the same host. Django checks later whether the host is
    one of ours.
    """
    host = next((value for name, value in request.headers if name == "HOST"), None)
    if host is None and request.version < (1, 1):
        return
    if host is None:
        raise InvalidHeader("Host", req=request)
    if not request.uri.startswith("/") and urlsplit(request.uri).netloc.lower() not in ("", host.lower()):
        raise InvalidHeader("Host", req=request)
