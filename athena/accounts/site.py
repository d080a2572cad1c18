"""The admin's own site: its name, a way in that counts failures like the API's, and what its lists may be asked."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from athena.accounts import checks, services
from athena.accounts.lists import MAX_TEXT, ListPages
from athena.accounts.lockout import LockedOut
from athena.accounts.models import User
from athena.accounts.rows import RowPages
from athena.http.addresses import client_address
from athena.http.fields import text_error


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


class OwnColumnsAdmin(ListPages, RowPages):
    """What the pages of all models share.

    `rank` is the place in the menu: the smaller, the nearer to its top.
    """

    rank = 100

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))


class AthenaSite(admin.AdminSite):
    site_header = site_title = "Athena"
    index_title = "Sales"
    empty_value_display = "–"
    site_url = None  # the admin is the site
    login_form = LoginForm

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What people open every day comes first, by `rank`; then the alphabet."""

        def rank(model: dict[str, Any]) -> int:
            return getattr(self._registry[model["model"]], "rank", OwnColumnsAdmin.rank)

        menu = super().get_app_list(request, app_label)
        for part in menu:
            part["models"].sort(key=rank)
        return sorted(menu, key=lambda part: min(map(rank, part["models"])))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page; administrators read on it what is wrong with accounts."""
        if isinstance(request.user, User) and request.user.is_superuser:
            for problem in checks.zone_problems():
                messages.warning(request, f"{problem} The company’s zone counts for them until it is corrected.")
        return super().index(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        term = request.GET.get("term", "")
        if len(term) > MAX_TEXT or text_error(term, one_line=False):
            raise BadRequest("Nothing is called this.")
        return super().autocomplete_view(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        nobody_yet = {"nobody_yet": request.method == "GET" and not User.objects.exists()}
        response = super().login(request, nobody_yet | (extra_context or {}))
        form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
        if isinstance(form, LoginForm) and form.locked_out is not None:
            response.status_code = 429
            response["Retry-After"] = str(form.locked_out.retry_after)
        return response
