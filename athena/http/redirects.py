"""Safe targets for redirects after a form or a login."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

_EXCLUDED_VIEWS = {"login", "logout"}


def choose_redirect(request: HttpRequest, target: str, default: str) -> str:
    """The address `target` if it is an existing page of this site, otherwise `default`."""
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()):
        return default
    path = urlsplit(target).path
    return target if _is_page(path) or _is_page(f"{path}/") else default


def _is_page(path: str) -> bool:
    """Whether a view serves the path. (The admin's catch-all view serves only 404s.)"""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return match.url_name not in _EXCLUDED_VIEWS and "catch_all" not in match.func.__name__
