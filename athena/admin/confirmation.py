"""Actions on many rows ask before they act: a page names how many there are and some of them, and then does it."""

import hashlib
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

SAMPLE = 20
CHANGED = "What is selected has changed since you looked at it. Look again, then decide."

Action = Callable[[Any, HttpRequest, Any], HttpResponse | None]


def fingerprint(keys: Iterable[int]) -> str:
    """Which rows these are, in whatever order."""
    return hashlib.sha256(",".join(map(str, sorted(keys))).encode()).hexdigest()


def is_confirmed(request: HttpRequest, queryset: Any) -> bool:
    """Whether the page of these rows was confirmed, and it showed the same ones. Says so where it showed others.

    A selection names its rows; of a whole list the page sends which ones it has shown (`expected`). The queryset is
    read here, so what is done next is done to these rows, whatever happens meanwhile.
    """
    if request.POST.get("post") != "yes" and request.POST.get("step") != "confirm":
        return False
    keys = [row.pk for row in queryset]
    if request.POST.get("select_across") == "1" and request.POST.get("expected") != fingerprint(keys):
        messages.warning(request, CHANGED)
        return False
    return True


def selection_context(request: HttpRequest, queryset: Any) -> dict[str, Any]:
    """What a page that asks before it acts sends with its form (`admin/selection.html`), and how many rows it names."""
    keys = list(queryset.values_list("pk", flat=True))
    return {
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
        "expected": fingerprint(keys),
        "count": len(keys),
    }


def requires_confirmation(verb: str, *, note: str = "", only_whole_lists: bool = False) -> Callable[[Action], Action]:
    """Let an action of a list ask first: "`verb` 12 leads?", with what `note` says of the consequences.

    What destroys nothing asks for whole lists alone (`only_whole_lists`): rows that were ticked have been seen.
    """

    def decorate(act: Action) -> Action:
        @wraps(act)
        def ask(page: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
            is_selection = request.POST.get("select_across") != "1"
            if (only_whole_lists and is_selection) or is_confirmed(request, queryset):
                return act(page, request, queryset)
            asked = selection_context(request, queryset)
            count = asked["count"]
            what = f"{verb} {count:,} {model_ngettext(page.opts, count)}"
            context = {
                **page.admin_site.each_context(request),
                **asked,
                "title": f"{what}?",
                "button": what,
                "note": note,
                "opts": page.opts,
                "action": request.POST["action"],
                "sample": queryset[:SAMPLE],
                "left_out": max(count - SAMPLE, 0),
                "back": request.get_full_path(),
            }
            return TemplateResponse(request, "admin/confirm.html", context)

        return ask

    return decorate
