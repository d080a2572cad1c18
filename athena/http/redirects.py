"""Where a form or a login may lead back to."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

_NO_PAGES = {"login", "logout"}


def choose_redirect(request: HttpRequest, wanted: str, default: str) -> str:
    """`wanted` where it is a page on this host that there is, or else `default`."""
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure()):
        return default
    path = urlsplit(wanted).path
    return wanted if _is_page(path) or _is_page(f"{path}/") else default


def _is_page(path: str) -> bool:
    """Whether the address is known. (The admin takes all that begins like its own, to answer 404.)"""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return match.url_name not in _NO_PAGES and "catch_all" not in match.func.__name__
