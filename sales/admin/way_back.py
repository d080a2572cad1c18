"""Where a page leads back to: whence one came (`next`, an address of ours that links and forms carry), or a default.

Django carries the filters of a list from page to page in its "preserved filters". `next` travels with them: so each
link and each redirect of Django's own pages keeps it, through errors, "Save and continue", "Save and add another", and
the question before deleting.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from athena.accounts.lists import BoundedList
from athena.http.places import own_page

LONGEST = 2000  # characters of an address


def next_page(request: HttpRequest, default: str) -> str:
    """The page of ours that a form or a link wants to come back to (`next`), or else `default`."""
    return _wanted(request) or default


def _wanted(request: HttpRequest) -> str:
    """`next`, where it is a page of this site; otherwise nothing."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return own_page(request, wanted, "") if wanted.startswith("/") and len(wanted) <= LONGEST else ""


class ReturningChangeList(BoundedList):
    """A list that may be given `next`, which is no filter."""

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop("next", None)
        return found


class WayBack(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages that lead back to where one came from."""

    def page_after(self, obj: Any) -> str | None:
        """Where saving leads to if nobody says where one came from. None: to the list."""
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReturningChangeList

    def get_preserved_filters(self, request: HttpRequest) -> str:
        """Django's, and `next`: from a list, the list itself as it is filtered."""
        kept = dict(parse_qsl(super().get_preserved_filters(request)))
        match = request.resolver_match
        is_list = match is not None and match.url_name == f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        back = request.get_full_path() if is_list else _wanted(request)
        return urlencode(kept | ({"next": back} if back and len(back) <= LONGEST else {}))

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._back(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._back(request, obj) or super().response_post_save_change(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Not to the page of what is gone."""
        response = super().response_delete(request, obj_display, obj_id)
        back = urlsplit(_wanted(request)).path
        gone = back.startswith(request.path.removesuffix("delete/"))
        return response if gone or not back else HttpResponseRedirect(_wanted(request))

    def response_action(self, request: HttpRequest, queryset: Any, *place: Any) -> HttpResponse | None:
        """An action that is done leads back, too; one that asks something shows its page."""
        response: HttpResponse | None = super().response_action(request, queryset, *place)
        back = _wanted(request)
        is_done = isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path()
        return HttpResponseRedirect(back) if is_done and back else response

    def _back(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect | None:
        page = _wanted(request) or self.page_after(obj)
        return HttpResponseRedirect(page) if page else None
