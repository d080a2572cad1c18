"""The admin's own site: its name, a way in that counts failures like the API's, and what its lists may be asked."""

from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from athena.accounts import services
from athena.accounts.lockout import LockedOut
from athena.accounts.models import User
from athena.http.addresses import client_address
from athena.http.pages import error_page, is_from_our_own_page


class LoginForm(AdminAuthenticationForm):
    locked_out: LockedOut | None = None

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password and self.request is not None:
            address = client_address(self.request)
            try:
                self.user_cache = services.identify(email=email, password=password, address=address)
            except LockedOut as error:
                self.locked_out = error
                raise ValidationError(str(error), code="locked_out") from error
            except services.LoginRefused as error:
                raise self.get_invalid_login_error() from error
        return self.cleaned_data


class OwnColumnsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages whose list is asked about its rows' own columns alone.

    A question against the direction of a key (`?leads=7` of the sources, `?login_sessions=…` of people) would be
    answered from rows that one can't see; Django lets it through.

    `rank` is the place in the menu: the smaller, the nearer to its top.
    """

    rank = 100

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        try:
            own = self.opts.get_field(lookup.partition("__")[0]).concrete
        except FieldDoesNotExist:
            own = True  # the name of a filter, or of nothing
        return own and super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))


class AthenaSite(admin.AdminSite):
    site_header = site_title = "Athena"
    index_title = "Sales"
    empty_value_display = "–"
    site_url = None  # the admin is the site
    login_form = LoginForm

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's, but what a page of ours sends after its login has ended comes back, to be sent again."""
        inner = super().admin_view(view, cacheable)

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            is_form = request.method == "POST" and request.path != reverse("admin:logout")
            if is_form and is_from_our_own_page(request) and not self.has_permission(request):
                return error_page(request, "logged_out")
            response: HttpResponse = inner(request, *args, **kwargs)
            return response

        return update_wrapper(checked, inner)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What people open every day comes first, by `rank`; then the alphabet."""

        def rank(model: dict[str, Any]) -> int:
            return getattr(self._registry[model["model"]], "rank", OwnColumnsAdmin.rank)

        menu = super().get_app_list(request, app_label)
        for part in menu:
            part["models"].sort(key=rank)
        return sorted(menu, key=lambda part: min(map(rank, part["models"])))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        nobody_yet = {"nobody_yet": request.method == "GET" and not User.objects.exists()}
        response = super().login(request, nobody_yet | (extra_context or {}))
        form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
        if isinstance(form, LoginForm) and form.locked_out is not None:
            response.status_code = 429
            response["Retry-After"] = str(form.locked_out.retry_after)
        return response
