"""Middleware for every request: the scheme behind proxies, trailing slashes, caching and local time."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from athena.http.client_address import forwarded_scheme

Handler = Callable[[HttpRequest], HttpResponse]


def trust_forwarded_scheme(get_response: Handler) -> Handler:
    """Reduce X-Forwarded-Proto to what the trusted proxies say (`TRUSTED_HOPS`), since Django believes the header."""

    def handle(request: HttpRequest) -> HttpResponse:
        scheme = forwarded_scheme(request)
        request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        if scheme:
            request.META["HTTP_X_FORWARDED_PROTO"] = scheme
        return get_response(request)

    return handle


def ignore_trailing_slash(get_response: Handler) -> Handler:
    """Serve addresses under `/api/` with and without a trailing slash, without a redirect."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info[:-1]
            request.path = request.path[:-1]
        return get_response(request)

    return handle


def forbid_caching(get_response: Handler) -> Handler:
    """Forbid caches to store responses of the API, whatever their status. Clients may still send an ETag."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith("/api/"):
            response["Cache-Control"] = "no-store"
        return response

    return handle


def use_local_time(get_response: Handler) -> Handler:
    """Use the user's time zone for the times on pages of the admin."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/") or not request.user.is_authenticated:
            return get_response(request)
        with timezone.override(request.user.zone):
            response = get_response(request)
            render = getattr(response, "render", None)
            return render() if render is not None else response

    return handle
