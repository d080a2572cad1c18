"""What happens to a request before any view sees it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

MAX_BODY = 1_000_000
Handler = Callable[[HttpRequest], HttpResponse]


def optional_slash(get_response: Handler) -> Handler:
    """Under `/api/` an address means the same with a slash at its end, without a redirect."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
            request.path = request.path[:-1]
        return get_response(request)

    return handle


def body_limit(get_response: Handler) -> Handler:
    """Bodies under `/api/` are 1 MB at most (413), known before they are read."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            length = request.META.get("CONTENT_LENGTH") or "0"
            if not length.isdigit() or int(length) > MAX_BODY:
                detail = {"detail": "The body is larger than 1 MB.", "code": "too_large"}
                return JsonResponse(detail, status=413)
        return get_response(request)

    return handle
