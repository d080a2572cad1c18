"""What happens to each request before anything else sees it."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from gunicorn.http.errors import ParseException

from athena.http.client_address import forwarded_scheme
from athena.http.error_pages import error_page

Handler = Callable[[HttpRequest], HttpResponse]
View = TypeVar("View", bound=Callable[..., Any])

MAX_BODY_BYTES = 1_048_576
_UNREADABLE = (OSError, ParseException)  # a client that went away; chunks that make no sense
_PIECE = 65_536
# Thrown away, so that a client that is still sending can read the answer: at most so much, in all and at a time.
_DRAIN, _DRAIN_SECONDS, _DRAIN_WAIT = 16 * MAX_BODY_BYTES, 5, 1


def trusted_scheme(get_response: Handler) -> Handler:
    """Of X-Forwarded-Proto only what the proxies say that we trust is left, for Django to believe."""

    def handle(request: HttpRequest) -> HttpResponse:
        scheme = forwarded_scheme(request)
        request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        if scheme:
            request.META["HTTP_X_FORWARDED_PROTO"] = scheme
        return get_response(request)

    return handle


def optional_slash(get_response: Handler) -> Handler:
    """An address under `/api/` answers alike with and without a slash at its end, without a redirect."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
            request.path = request.path[:-1]
        return get_response(request)

    return handle


def allow_upload(most: int, permission: str, *more: str) -> Callable[[View], View]:
    """A view that takes a body of up to `most` bytes from people who have all of these permissions."""

    def declare(view: View) -> View:
        view.allow_upload = (most, [permission, *more])  # type: ignore[attr-defined]
        return view

    return declare


class BodyLimit:
    """Read each body, within the limit of its address, before a view or anything else looks at it.

    The limit is 1 MB, or what `allow_upload` declares. More is 413, whether announced or streamed; what is announced is
    refused before it is read. A body that comes too slowly (`athena.runtime.request_reader`) is 408. One that ends
    early, or whose chunks make no sense, is 400: what did arrive may look complete.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as stack:
            request._close_body = stack.push  # type: ignore[attr-defined]
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        source: IO[bytes] | None = request.META.get("wsgi.input")
        length = _announced(request.META.get("CONTENT_LENGTH"))
        if source is None or not (length or request.META.get("wsgi.input_terminated")):
            return None
        most = _limit(request, view) if length > MAX_BODY_BYTES or not length else MAX_BODY_BYTES
        if length > most:
            return _too_large(request, source, most, min(length, _DRAIN))
        body: IO[bytes] = BytesIO()
        if most > MAX_BODY_BYTES:
            body = TemporaryFile()  # noqa: SIM115
            request._close_body(body)  # type: ignore[attr-defined]
        try:
            size = _copy(source, body, length or most + 1)
        except TimeoutError:
            return refuse(request, 408, "The body came too slowly.", "too_slow")
        except _UNREADABLE:
            return refuse(request, 400, "The body could not be read.", "unreadable")
        if size > most:
            return _too_large(request, source, most, _DRAIN)
        if size < length:
            return refuse(request, 400, "The body is shorter than its Content-Length.", "unreadable")
        body.seek(0)
        request.META["CONTENT_LENGTH"] = str(size)  # also of a streamed one: Django goes by lengths
        request._stream = LimitedStream(body, size)  # type: ignore[assignment, arg-type]
        return None


def _limit(request: HttpRequest, view: Any) -> int:
    most, permissions = getattr(view, "allow_upload", (MAX_BODY_BYTES, []))
    return most if most <= MAX_BODY_BYTES or request.user.has_perms(permissions) else MAX_BODY_BYTES


def _announced(header: Any) -> int:
    try:
        return max(0, int(header or 0))
    except ValueError:
        return 0


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """Read up to `most` bytes. Returns how many there were."""
    size = 0
    while size < most and (piece := source.read(min(_PIECE, most - size))):
        size += target.write(piece)
    return size


def _too_large(request: HttpRequest, source: IO[bytes], most: int, left: int) -> HttpResponse:
    connection, end = request.META.get("gunicorn.socket"), time.monotonic() + _DRAIN_SECONDS
    if connection is not None:
        connection.settimeout(_DRAIN_WAIT)
    with suppress(*_UNREADABLE):
        while left > 0 and time.monotonic() < end and (piece := source.read(min(_PIECE, left))):
            left -= len(piece)
    return refuse(request, 413, f"The body is larger than {most // MAX_BODY_BYTES} MB.", "too_large")


def refuse(request: HttpRequest, status: int, detail: str, code: str) -> HttpResponse:
    """An answer to a request that was not read to its end: JSON under `/api/`, a page elsewhere."""
    response: HttpResponse
    if request.path_info.startswith("/api/"):
        response = JsonResponse({"detail": detail, "code": code}, status=status)
    else:
        response = error_page(request, code, body_is_read=False)
    response["Connection"] = "close"
    return response


def no_store(get_response: Handler) -> Handler:
    """No cache keeps an answer of the API, whatever its status. A client may still send its ETag."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith("/api/"):
            response["Cache-Control"] = "no-store"
        return response

    return handle


def local_time(get_response: Handler) -> Handler:
    """The admin's pages show and read times on the wall clock of whoever is logged in."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/") or not request.user.is_authenticated:
            return get_response(request)
        with timezone.override(request.user.zone):
            response = get_response(request)
            render = getattr(response, "render", None)
            return render() if render is not None else response

    return handle
