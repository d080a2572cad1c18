"""CORS headers (Fetch standard) for the routes whose responses scripts of other sites may read.

Credentials are never allowed, so such scripts cannot use the session of a logged-in browser.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

_PREFLIGHT_CACHE_SECONDS = 600


def get_foreign_origin(request: HttpRequest) -> str | None:
    """The origin of another site's page that sends the request; None for programs and Athena's own pages."""
    origin = request.META.get("HTTP_ORIGIN")
    return None if origin == f"{request.scheme}://{request.get_host()}" else origin


def is_preflight(request: HttpRequest) -> bool:
    return "HTTP_ORIGIN" in request.META and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META


def allow_reading(response: HttpResponseBase, origin: str) -> None:
    """Let scripts of `origin` read the response."""
    response["Access-Control-Allow-Origin"] = origin
    patch_vary_headers(response, ["Origin"])


def allow_posting(response: HttpResponseBase, origin: str) -> None:
    """Let scripts of `origin` post JSON: the response to a preflight request."""
    allow_reading(response, origin)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = str(_PREFLIGHT_CACHE_SECONDS)
