"""The size limit of request bodies: 1 MB, or what a view declares with `allow_upload`."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, JsonResponse
from gunicorn.http.errors import ParseException

from athena.http.error_pages import error_page

Handler = Callable[[HttpRequest], HttpResponse]
View = TypeVar("View", bound=Callable[..., Any])

MAX_BODY_BYTES = 1_048_576
_UNREADABLE = (OSError, ParseException)  # a client that disconnected; malformed chunks
_CHUNK_BYTES = 65_536
# A refused body is read and discarded, so that a client that is still sending can read the response: at most this many
# bytes and seconds in all, and seconds for each read.
_DRAIN_BYTES, _DRAIN_SECONDS, _DRAIN_READ_SECONDS = 16 * MAX_BODY_BYTES, 5, 1


def allow_upload(max_bytes: int, permission: str, *more: str) -> Callable[[View], View]:
    """Let a view take a body of up to `max_bytes` from users who have all these permissions."""

    def declare(view: View) -> View:
        view.allow_upload = (max_bytes, [permission, *more])  # type: ignore[attr-defined]
        return view

    return declare


class BodyLimit:
    """Middleware that reads each request body, up to the limit of its view, before the view or anything else does.

    The limit is 1 MB, or what `allow_upload` declares. A larger body gets 413, before it is read if its length is
    announced. A body that arrives too slowly (`athena.runtime.request_reader`) gets 408. A body that ends early or has
    malformed chunks gets 400, because the part that arrived may look complete.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as stack:
            request._close_body = stack.push  # type: ignore[attr-defined]
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        source: IO[bytes] | None = request.META.get("wsgi.input")
        length = _announced_length(request.META.get("CONTENT_LENGTH"))
        if source is None or not (length or request.META.get("wsgi.input_terminated")):
            return None
        limit = _find_limit(request, view) if length > MAX_BODY_BYTES or not length else MAX_BODY_BYTES
        if length > limit:
            return _refuse_too_large(request, source, limit, min(length, _DRAIN_BYTES))
        body: IO[bytes] = BytesIO()
        if limit > MAX_BODY_BYTES:
            body = TemporaryFile()  # noqa: SIM115
            request._close_body(body)  # type: ignore[attr-defined]
        try:
            size = _copy(source, body, length or limit + 1)
        except TimeoutError:
            return refuse(request, 408, "The body arrived too slowly.", "too_slow")
        except _UNREADABLE:
            return refuse(request, 400, "The body could not be read.", "unreadable")
        if size > limit:
            return _refuse_too_large(request, source, limit, _DRAIN_BYTES)
        if size < length:
            return refuse(request, 400, "The body is shorter than its Content-Length.", "unreadable")
        body.seek(0)
        request.META["CONTENT_LENGTH"] = str(size)  # for a streamed body, too: Django needs a length
        request._stream = LimitedStream(body, size)  # type: ignore[assignment, arg-type]
        return None


def _find_limit(request: HttpRequest, view: Any) -> int:
    max_bytes, permissions = getattr(view, "allow_upload", (MAX_BODY_BYTES, []))
    return max_bytes if max_bytes <= MAX_BODY_BYTES or request.user.has_perms(permissions) else MAX_BODY_BYTES


def _announced_length(header: Any) -> int:
    try:
        return max(0, int(header or 0))
    except ValueError:
        return 0


def _copy(source: IO[bytes], target: IO[bytes], max_bytes: int) -> int:
    """Copy up to `max_bytes`. Returns the number of bytes."""
    size = 0
    while size < max_bytes and (chunk := source.read(min(_CHUNK_BYTES, max_bytes - size))):
        size += target.write(chunk)
    return size


def _refuse_too_large(request: HttpRequest, source: IO[bytes], limit: int, left: int) -> HttpResponse:
    connection, end = request.META.get("gunicorn.socket"), time.monotonic() + _DRAIN_SECONDS
    if connection is not None:
        connection.settimeout(_DRAIN_READ_SECONDS)
    with suppress(*_UNREADABLE):
        while left > 0 and time.monotonic() < end and (chunk := source.read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)
    return refuse(request, 413, f"The body is larger than {limit // MAX_BODY_BYTES} MB.", "too_large")


def refuse(request: HttpRequest, status: int, detail: str, code: str) -> HttpResponse:
    """The response to a request whose body was not read completely: JSON under `/api/`, a page elsewhere."""
    response: HttpResponse
    if request.path_info.startswith("/api/"):
        response = JsonResponse({"detail": detail, "code": code}, status=status)
    else:
        response = error_page(request, code, body_is_read=False)
    response["Connection"] = "close"
    return response
