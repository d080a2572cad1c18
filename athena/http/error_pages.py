"""Error pages, which give back what the user typed. They need neither the database nor a login.

The API (`/api/`) never returns them; see `athena.config.api_errors`.
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

# Name of the error: the status, the heading, and what to do.
_ERRORS: dict[str, tuple[int, str, str]] = {
    "bad_request": (400, "This request is malformed", "The address or form is damaged. Go back and try again."),
    "logged_out": (401, "You are signed out", "Nothing was saved. Sign in in a new tab, then send it from here."),
    "forbidden": (403, "You are not allowed to do this", "Your role does not permit it. Ask a manager or admin."),
    "csrf": (
        403, "Nothing was saved yet",
        "You have signed in since you opened the form, or your browser blocks cookies. Send it again from here.",
    ),
    "not_found": (
        404, "This page does not exist",
        "The record may be archived, merged or in another team, or the address has a typo.",
    ),
    "not_allowed": (405, "There is nothing to see here", "This address only accepts what a button on a page sends."),
    "too_slow": (
        408, "This took too long to arrive", "Go back: what you typed is still there. Then try again.",
    ),
    "unreadable": (400, "The form arrived damaged", "Go back: what you typed is still there. Try again."),
    "too_large": (
        413, "This is too much to send at once", "Go back: what you typed is still there. Send a smaller file or text.",
    ),
    "server_error": (
        500, "Something went wrong on our side",
        "The error was recorded. Try again in a moment. If it happens again, give your administrator the number below.",
    ),
    "unavailable": (503, "Athena is unavailable for a moment", "Its database does not respond. Try again in a minute."),
}  # fmt: skip
_BY_STATUS = {status: name for name, (status, _, _) in _ERRORS.items() if name not in ("csrf", "unreadable")}
_RESENDABLE = {"logged_out", "csrf", "server_error", "unavailable"}
_HIDDEN_FIELDS = {"csrfmiddlewaretoken", "seen", "next", "action", "select_across", "index"}
_MAX_KEPT = 500_000  # characters


def error_page(request: HttpRequest, name: str, *, explanation: str = "", body_is_read: bool = True) -> HttpResponse:
    """The page for the error `name`. After a POST from one of our pages it shows what was typed, to be sent again.

    `explanation` replaces the advice of the page. Nothing is given back if another site sent the request, or if the
    body was refused before it was read (`body_is_read`).
    """
    status, heading, advice = _ERRORS[name]
    fields = _list_kept_fields(request) if body_is_read else []
    context = {
        "name": name,
        "status": status,
        "heading": heading,
        "advice": explanation or advice,
        "fields": fields,
        "typed": [(_label(key), value) for key, value in fields if _is_typed(key, value)],
        "may_send_again": bool(fields) and name in _RESENDABLE and not request.FILES,
        "csrf_token": get_token(request) if fields else "",
        "path": request.get_full_path(),
        "is_get": request.method == "GET",
        "back": _find_previous_page(request),
        "home": reverse("admin:index") if request.path_info.startswith("/admin/") else "",
        "login": reverse("admin:login"),
        "request_id": current_request_id(),
        "sheet": _static("athena/css/error_pages.css"),
        "icon": _static("athena/icon.svg"),
    }
    return HttpResponse(render_to_string("error.html", context), status=status)


def fill_empty_errors(get_response: Handler) -> Handler:
    """Middleware that fills empty error responses of the admin, such as 405, with the page for their status."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        name = _BY_STATUS.get(response.status_code)
        if name and request.path_info.startswith("/admin/") and not response.streaming and not response.content:
            page = error_page(request, name)
            response.content, response["Content-Type"] = page.content, page["Content-Type"]
        return response

    return handle


def is_from_our_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that the request comes from a page of this host."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == _own_host(request)


def _own_host(request: HttpRequest) -> str | None:
    """The host of the request; None if it is not one of ours, which may be the very error to report."""
    try:
        return request.get_host()
    except DisallowedHost:
        return None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The response to a form without a valid CSRF token. A form from one of our pages can be sent again."""
    return error_page(request, "csrf")


def _list_kept_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields that one of our forms sent, without its CSRF token; none of a form with a password."""
    if request.method != "POST" or not is_from_our_own_page(request):
        return []
    try:
        fields = [(key, value) for key, values in request.POST.lists() for value in values]
    except Exception:  # whatever prevents reading the body is the error that this page reports
        return []
    if any("password" in key for key, _ in fields) or sum(len(value) for _, value in fields) > _MAX_KEPT:
        return []
    return [(key, value) for key, value in fields if key != "csrfmiddlewaretoken"]


def _is_typed(key: str, value: str) -> bool:
    """Whether a person typed the value: it is not one of the page's hidden fields."""
    return bool(value.strip()) and key not in _HIDDEN_FIELDS and not key.startswith("_") and not key.endswith("_FORMS")


def _label(key: str) -> str:
    """The label of a field. The date and the time of a datetime are the fields `_0` and `_1`."""
    name = re.sub(r"_([01])$", lambda match: ("_date", "_time")[int(match[1])], key)
    return re.sub(r"[_-]+", " ", name).strip().capitalize()


def _find_previous_page(request: HttpRequest) -> str:
    """The page of this site that led here, or an empty text."""
    referer = urlsplit(request.headers.get("Referer", ""))
    address = referer._replace(scheme="", netloc="").geturl()
    is_ours = referer.netloc == _own_host(request) and address.startswith("/")
    return address if is_ours and not address.startswith("//") and address != request.get_full_path() else ""


def _static(path: str) -> Any:
    try:
        return static(path)
    except ValueError:  # the manifest of static files is missing or old
        return f"/static/{path}"
