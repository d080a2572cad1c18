"""Confirmation of actions on many rows: a page shows the number of rows and some of them before the action runs."""

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

MAX_SAMPLE = 20  # rows that the page names
SELECTION_CHANGED = "The selection has changed since you looked at it. Check it again."

Action = Callable[[Any, HttpRequest, Any], HttpResponse | None]


def fingerprint(keys: Iterable[int]) -> str:
    """A hash of these ids, in any order."""
    return hashlib.sha256(",".join(map(str, sorted(keys))).encode()).hexdigest()


def is_confirmed(request: HttpRequest, queryset: Any) -> bool:
    """Whether the user has confirmed the action on these rows. Shows a warning if the page had shown other rows.

    A selection names its rows. For a whole list the page sends the fingerprint of the rows it has shown (`expected`).
    The queryset is evaluated here, so the action runs on these rows even if others match meanwhile.
    """
    if request.POST.get("post") != "yes" and request.POST.get("step") != "confirm":
        return False
    keys = [row.pk for row in queryset]
    if request.POST.get("select_across") == "1" and request.POST.get("expected") != fingerprint(keys):
        messages.warning(request, SELECTION_CHANGED)
        return False
    return True


def selection_context(request: HttpRequest, queryset: Any) -> dict[str, Any]:
    """The context of a confirmation page's form (`admin/selection.html`): the selection and the number of rows."""
    keys = list(queryset.values_list("pk", flat=True))
    return {
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
        "expected": fingerprint(keys),
        "count": len(keys),
    }


def requires_confirmation(verb: str, *, note: str = "", only_whole_lists: bool = False) -> Callable[[Action], Action]:
    """Decorate an action of a list so that it asks first: "`verb` 12 leads?". `note` explains the consequences.

    With `only_whole_lists` the action does not ask about rows that the user has ticked one by one; use it for actions
    that destroy nothing.
    """

    def decorate(action: Action) -> Action:
        @wraps(action)
        def ask_first(page: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
            is_selection = request.POST.get("select_across") != "1"
            if (only_whole_lists and is_selection) or is_confirmed(request, queryset):
                return action(page, request, queryset)
            context = selection_context(request, queryset)
            count = context["count"]
            button = f"{verb} {count:,} {model_ngettext(page.opts, count)}"
            context |= {
                **page.admin_site.each_context(request),
                "title": f"{button}?",
                "button": button,
                "note": note,
                "opts": page.opts,
                "action": request.POST["action"],
                "sample": queryset[:MAX_SAMPLE],
                "left_out": max(count - MAX_SAMPLE, 0),
                "back": request.get_full_path(),
            }
            return TemplateResponse(request, "admin/confirm.html", context)

        return ask_first

    return decorate
