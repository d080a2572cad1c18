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
from django.urls import Resolver404, resolve

from athena.admin.list_lookups import LimitedChangeList
from athena.http.redirects import choose_redirect

MAX_ADDRESS_LENGTH = 2000  # characters of an address


def next_page(request: HttpRequest, default: str) -> str:
    """The page that a form or a link wants to come back to (`next`), or else `default`."""
    back = _wanted(request)
    return back if back and _may_read(request, back) else default


def _wanted(request: HttpRequest) -> str:
    """`next`, where it is a page of this site; otherwise nothing."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return choose_redirect(request, wanted, "") if wanted.startswith("/") and len(wanted) <= MAX_ADDRESS_LENGTH else ""


def _may_read(request: HttpRequest, address: str) -> bool:
    """Whether it is a page of the admin, and of a row that the user may read: what was done may have ended that."""
    try:
        match = resolve(urlsplit(address).path.rstrip("/") + "/")
    except Resolver404:
        return False
    name, key = match.url_name, match.kwargs.get("object_id", match.kwargs.get("pk"))
    if match.app_name != "admin" or name is None:
        return False
    for model, page in admin.site._registry.items():
        if key is not None and name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return page.get_object(request, str(key)) is not None  # type: ignore[attr-defined]
    return True


class NextPageChangeList(LimitedChangeList):
    """A list that may be given `next`, which is no filter."""

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop("next", None)
        return found


class NextPageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages that lead back to where one came from."""

    def page_after(self, obj: Any) -> str | None:
        """Where saving leads to if nobody says where one came from. None: to the list."""
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NextPageChangeList

    def get_preserved_filters(self, request: HttpRequest) -> str:
        """Django's, and `next`: from a list, the list itself as it is filtered."""
        kept = dict(parse_qsl(super().get_preserved_filters(request)))
        match = request.resolver_match
        is_list = match is not None and match.url_name == f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        back = request.get_full_path() if is_list else _wanted(request)
        return urlencode(kept | ({"next": back} if back and len(back) <= MAX_ADDRESS_LENGTH else {}))

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._back(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._back(request, obj) or super().response_post_save_change(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        response = super().response_delete(request, obj_display, obj_id)
        back = next_page(request, "")
        return HttpResponseRedirect(back) if back else response

    def response_action(self, request: HttpRequest, queryset: Any, *place: Any) -> HttpResponse | None:
        """An action that is done leads back, too; one that asks something shows its page."""
        response: HttpResponse | None = super().response_action(request, queryset, *place)
        is_done = isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path()
        back = next_page(request, "") if is_done else ""
        return HttpResponseRedirect(back) if back else response

    def _back(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect | None:
        page = next_page(request, "") or self.page_after(obj)
        return HttpResponseRedirect(page) if page else None
