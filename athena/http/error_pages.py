"""Pages that say what went wrong, and give back what was typed. They need no database and no login.

Programs (`/api/`) never get them; see `athena.config.api_errors`.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse

from athena.runtime.logs import current_request_id

Handler = Callable[[HttpRequest], HttpResponse]

# The status, the heading and what to do about it, by the name of the error.
_ERRORS: dict[str, tuple[int, str, str]] = {
    "bad_request": (400, "This request makes no sense", "The address or the form is damaged. Go back and try again."),
    "logged_out": (401, "You are logged out", "Nothing was saved. Log in again in a new tab, then send it from here."),
    "forbidden": (403, "You may not do this", "Your role does not allow it. A manager or an administrator may help."),
    "csrf": (
        403, "Nothing was saved yet",
        "The form was older than your login, or the browser refuses cookies. Send it again from here.",
    ),
    "not_found": (
        404, "This page does not exist",
        "The row may be archived, merged or in another team, or the address has a typing error.",
    ),
    "not_allowed": (405, "There is nothing to see here", "This address only takes what a button of a page sends."),
    "too_slow": (
        408, "This took too long to arrive", "Go back: what you typed is still there. Then try again.",
    ),
    "unreadable": (400, "This arrived damaged", "Go back: what you typed is still there. Try again."),
    "too_large": (
        413, "This is too much to send at once", "Go back: what you typed is still there. Send a smaller file or text.",
    ),
    "server_error": (
        500, "Something went wrong on our side",
        "The error was recorded. Try again in a moment; if it comes back, tell whoever runs Athena the number below.",
    ),
    "unavailable": (503, "Athena is away for a moment", "Its database does not answer. Try again in a minute."),
}  # fmt: skip
_BY_STATUS = {status: name for name, (status, _, _) in _ERRORS.items() if name not in ("csrf", "unreadable")}
_MAY_BE_SENT_AGAIN = {"logged_out", "csrf", "server_error", "unavailable"}
_BOOKKEEPING = {"csrfmiddlewaretoken", "seen", "next", "action", "select_across", "index"}
_MOST_KEPT = 500_000  # characters


def error_page(request: HttpRequest, name: str, *, explanation: str = "", body_is_read: bool = True) -> HttpResponse:
    """The page of an error. After a POST from one of our own pages it shows what was typed, and can send it again.

    `explanation` replaces what the page says to do. The text is not shown where another site sent it, or where the body
    was refused before it was read (`body_is_read`).
    """
    status, heading, advice = _ERRORS[name]
    fields = _kept(request) if body_is_read else []
    context = {
        "name": name,
        "status": status,
        "heading": heading,
        "advice": explanation or advice,
        "fields": fields,
        "typed": [(_label(key), value) for key, value in fields if _is_typed(key, value)],
        "may_send_again": bool(fields) and name in _MAY_BE_SENT_AGAIN and not request.FILES,
        "csrf_token": get_token(request) if fields else "",
        "path": request.get_full_path(),
        "is_get": request.method == "GET",
        "back": _back(request),
        "home": reverse("admin:index") if request.path_info.startswith("/admin/") else "",
        "login": reverse("admin:login"),
        "request_id": current_request_id(),
        "sheet": _static("athena/css/error_pages.css"),
        "icon": _static("athena/icon.svg"),
    }
    return HttpResponse(render_to_string("error.html", context), status=status)


def fill_bare_errors(get_response: Handler) -> Handler:
    """An error of the admin that has no content, such as a wrong method, gets the page of its status."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        name = _BY_STATUS.get(response.status_code)
        if name and request.path_info.startswith("/admin/") and not response.streaming and not response.content:
            page = error_page(request, name)
            response.content, response["Content-Type"] = page.content, page["Content-Type"]
        return response

    return handle


def is_from_our_own_page(request: HttpRequest) -> bool:
    """Whether a browser says that the request comes from a page of this host."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == _own_host(request)


def _own_host(request: HttpRequest) -> str | None:
    """The host that was asked, None where it is none of ours: that may be the error that a page is about."""
    try:
        return request.get_host()
    except DisallowedHost:
        return None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: what was typed can be sent again, if it came from one of our pages."""
    return error_page(request, "csrf")


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """What a form of ours has sent, without its token; nothing of a form with a password."""
    if request.method != "POST" or not is_from_our_own_page(request):
        return []
    try:
        fields = [(key, value) for key, values in request.POST.lists() for value in values]
    except Exception:  # whatever keeps the body from being read is the error that this page is about
        return []
    if any("password" in key for key, _ in fields) or sum(len(value) for _, value in fields) > _MOST_KEPT:
        return []
    return [(key, value) for key, value in fields if key != "csrfmiddlewaretoken"]


def _is_typed(key: str, value: str) -> bool:
    """Whether a person reads it: not a hidden value of the page's own."""
    return bool(value.strip()) and key not in _BOOKKEEPING and not key.startswith("_") and not key.endswith("_FORMS")


def _label(key: str) -> str:
    """The name of a field as people read it; the two halves of a point in time are `_0` and `_1`."""
    name = re.sub(r"_([01])$", lambda half: ("_date", "_time")[int(half[1])], key)
    return re.sub(r"[_-]+", " ", name).strip().capitalize()


def _back(request: HttpRequest) -> str:
    """The page that led here, if it is another one of ours."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    address = came_from._replace(scheme="", netloc="").geturl()
    is_ours = came_from.netloc == _own_host(request) and address.startswith("/")
    return address if is_ours and not address.startswith("//") and address != request.get_full_path() else ""


def _static(path: str) -> Any:
    try:
        return static(path)
    except ValueError:  # the manifest of static files is missing or old
        return f"/static/{path}"
