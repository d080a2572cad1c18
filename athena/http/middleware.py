"""What happens to each request under `/api/` before anything else sees it."""

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import IO, Any

from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from gunicorn.http.errors import ParseException

Handler = Callable[[HttpRequest], HttpResponse]

MAX_BODY = 1_048_576
_UNREADABLE = (OSError, ParseException)  # a client that went away; chunks that make no sense
_DRAIN = 16 * MAX_BODY  # read and thrown away, so that a client that is still sending gets to read the answer


def optional_slash(get_response: Handler) -> Handler:
    """An address under `/api/` answers alike with and without a slash at its end, without a redirect."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
            request.path = request.path[:-1]
        return get_response(request)

    return handle


def body_limit(get_response: Handler) -> Handler:
    """A body under `/api/` of more than 1 MB is 413, whether its length was announced or it is streamed.

    One that ends early, or whose chunks make no sense, is 400: what did arrive may look complete.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        source: IO[bytes] | None = request.META.get("wsgi.input")
        if source is None or not request.path_info.startswith("/api/"):
            return get_response(request)
        length = _announced(request.META.get("CONTENT_LENGTH"))
        if length > MAX_BODY:
            _drain(source, length)
            return _refusal(413, "The body is larger than 1 MB.", "too_large")
        if length > 0 or request.META.get("wsgi.input_terminated"):
            try:
                body = source.read(length or MAX_BODY + 1)
            except _UNREADABLE:
                return _refusal(400, "The body could not be read.", "unreadable")
            if len(body) > MAX_BODY:
                _drain(source, _DRAIN)
                return _refusal(413, "The body is larger than 1 MB.", "too_large")
            if len(body) < length:
                return _refusal(400, "The body is shorter than its Content-Length.", "unreadable")
            _replace_body(request, body)
        return get_response(request)

    return handle


def _announced(header: Any) -> int:
    try:
        return int(header or 0)
    except ValueError:
        return 0


def _drain(source: IO[bytes], length: int) -> None:
    left = min(length, _DRAIN)
    with suppress(*_UNREADABLE):
        while left > 0 and (chunk := source.read(min(left, 65_536))):
            left -= len(chunk)


def _replace_body(request: HttpRequest, body: bytes) -> None:
    """Give the request the body that was read, also a streamed one, which Django, going by lengths, would not see."""
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = LimitedStream(BytesIO(body), len(body))  # type: ignore[assignment]


def _refusal(status: int, detail: str, code: str) -> HttpResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status, headers={"Connection": "close"})


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
