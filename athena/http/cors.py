"""Answers that scripts of other sites may read (the Fetch standard's CORS protocol), for the routes that allow some.

Never with credentials: nothing that a browser is logged in to is reached.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

_KEEP_SECONDS = 600


def get_foreign_origin(request: HttpRequest) -> str | None:
    """The site whose page sends the request: None for programs, and for Athena's own pages."""
    origin = request.META.get("HTTP_ORIGIN")
    return None if origin == f"{request.scheme}://{request.get_host()}" else origin


def is_preflight(request: HttpRequest) -> bool:
    return "HTTP_ORIGIN" in request.META and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META


def allow_reading(response: HttpResponseBase, origin: str) -> None:
    """Let scripts of `origin` read the answer."""
    response["Access-Control-Allow-Origin"] = origin
    patch_vary_headers(response, ["Origin"])


def allow_posting(response: HttpResponseBase, origin: str) -> None:
    """As an answer to a preflight: let scripts of `origin` post JSON."""
    allow_reading(response, origin)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = str(_KEEP_SECONDS)
