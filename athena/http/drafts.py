"""Tells the browser which of its drafts are saved (`athena/static/athena/js/drafts.js`)."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

Handler = Callable[[HttpRequest], HttpResponse]

FIELD = "_draft"  # in a form: the id of what the browser has kept of it
COOKIE = "athena_saved"  # the ids that are saved, with dots between them
_ID = re.compile(r"[0-9a-f-]{8,40}", re.ASCII)
_SECONDS = 600
_MOST_IDS = 8


def report_saved(get_response: Handler) -> Handler:
    """A form of the admin whose answer leads elsewhere is saved: a cookie says so to the page that follows."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and response.status_code == 302 and request.path_info.startswith("/admin/"):
            draft = request.POST.get(FIELD, "")
            if _ID.fullmatch(draft) and not response["Location"].startswith(reverse("admin:login")):
                earlier = request.COOKIES.get(COOKIE, "").split(".")
                ids = [*(each for each in earlier if _ID.fullmatch(each)), draft]
                response.set_cookie(
                    COOKIE, ".".join(ids[-_MOST_IDS:]), max_age=_SECONDS, path="/admin/", samesite="Lax",
                    secure=settings.SESSION_COOKIE_SECURE,
                )  # fmt: skip
        return response

    return handle
