"""Where a page goes after saving: to the page in `next`, which links and forms carry, or to a default.

Django carries the filters of a list from page to page as "preserved filters". `next` travels with them, so all links
and redirects of Django's own pages keep it: after errors, "Save and continue", "Save and add another", and deleting.
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
    """The page in `next`, if it is a page of this site that the user may read; otherwise `default`."""
    address = _read_next(request)
    return address if address and _may_read(request, address) else default


def _read_next(request: HttpRequest) -> str:
    """`next`, if it is a page of this site; otherwise the empty string."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    is_local = address.startswith("/") and len(address) <= MAX_ADDRESS_LENGTH
    return choose_redirect(request, address, "") if is_local else ""


def _may_read(request: HttpRequest, address: str) -> bool:
    """Whether the address is an admin page, of a row (if any) that the user may still read after what was just done."""
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
    """A list that ignores `next` among its filters."""

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        filters: dict[str, Any] = super().get_filters_params(params)
        filters.pop("next", None)
        return filters


class NextPageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages that go back to the page they were opened from."""

    def page_after(self, obj: Any) -> str | None:
        """Where saving goes if there is no `next`. None: to the list."""
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NextPageChangeList

    def get_preserved_filters(self, request: HttpRequest) -> str:
        """Django's filters and `next`. On a list, `next` is the list with its filters."""
        kept = dict(parse_qsl(super().get_preserved_filters(request)))
        match = request.resolver_match
        is_list = match is not None and match.url_name == f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        back = request.get_full_path() if is_list else _read_next(request)
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
        """After an action that is done, go back; an action that asks something shows its page."""
        response: HttpResponse | None = super().response_action(request, queryset, *place)
        is_done = isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path()
        back = next_page(request, "") if is_done else ""
        return HttpResponseRedirect(back) if back else response

    def _back(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect | None:
        page = next_page(request, "") or self.page_after(obj)
        return HttpResponseRedirect(page) if page else None
