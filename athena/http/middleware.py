"""What happens to each request under `/api/` before anything else sees it."""

from collections.abc import Callable
from io import BytesIO
from typing import IO, Any

from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

Handler = Callable[[HttpRequest], HttpResponse]

MAX_BODY = 1_048_576
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
    """A body under `/api/` of more than 1 MB is 413, whether its length was announced or it is streamed."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return get_response(request)
        source: IO[bytes] | None = request.META.get("wsgi.input")
        length = _announced(request.META.get("CONTENT_LENGTH"))
        if length > MAX_BODY:
            if source is not None:
                _drain(source, length)
            return _too_large()
        if source is not None and request.META.get("wsgi.input_terminated") and not length:
            body = source.read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                _drain(source, _DRAIN)
                return _too_large()
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
    while left > 0 and (chunk := source.read(min(left, 65_536))):
        left -= len(chunk)


def _replace_body(request: HttpRequest, body: bytes) -> None:
    """Give the request the streamed body that Django itself, which goes by Content-Length, would not read."""
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = LimitedStream(BytesIO(body), len(body))  # type: ignore[assignment]


def _too_large() -> HttpResponse:
    answer = {"detail": "The body is larger than 1 MB.", "code": "too_large"}
    return JsonResponse(answer, status=413, headers={"Connection": "close"})


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
