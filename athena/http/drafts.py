"""Tells the browser which drafts of forms the server has saved (`athena/static/athena/js/drafts.js`)."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

Handler = Callable[[HttpRequest], HttpResponse]

FIELD = "_draft"  # the form field with the id of the browser's draft
COOKIE = "athena_saved"  # the ids of saved drafts, separated by dots
_ID = re.compile(r"[0-9a-f-]{8,40}", re.ASCII)
_COOKIE_SECONDS = 600
_MAX_IDS = 8


def report_saved_drafts(get_response: Handler) -> Handler:
    """Set a cookie with the draft's id when a form of the admin is saved, that is, when the response is a redirect."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and response.status_code == 302 and request.path_info.startswith("/admin/"):
            draft = request.POST.get(FIELD, "")
            if _ID.fullmatch(draft) and not response["Location"].startswith(reverse("admin:login")):
                earlier = request.COOKIES.get(COOKIE, "").split(".")
                ids = [*(id_ for id_ in earlier if _ID.fullmatch(id_)), draft]
                response.set_cookie(
                    COOKIE, ".".join(ids[-_MAX_IDS:]), max_age=_COOKIE_SECONDS, path="/admin/", samesite="Lax",
                    secure=settings.SESSION_COOKIE_SECURE,
                )  # fmt: skip
        return response

    return handle
