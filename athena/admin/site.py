"""The admin site: its login, which counts failures like the API's, its menu, and the base of all model admins."""

from collections.abc import Iterable
from functools import update_wrapper
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse, reverse_lazy
from django.utils.text import capfirst

from athena.accounts import services, time_zone_checks
from athena.accounts.lockout import LockedOut
from athena.accounts.models import User
from athena.admin.list_lookups import MAX_TEXT, MAX_WORDS, ListPages
from athena.admin.row_pages import RowPages
from athena.api.fields import find_text_error
from athena.http.client_address import client_address
from athena.http.error_pages import error_page, is_from_our_own_page
from athena.http.redirects import choose_redirect

MAX_EMAIL = 254


class LockableForm(Form):
    """A form with a password, which may be locked after too many failures."""

    locked_out: LockedOut | None = None

    def lock(self, error: LockedOut) -> ValidationError:
        """Remember the lockout. Returns the error to raise."""
        self.locked_out = error
        return ValidationError(str(error), code="locked_out")


class LoginForm(LockableForm, AdminAuthenticationForm):
    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if len(self.data.get("username", "")) > MAX_EMAIL:  # the page shows it again, so it must not be too long
            self.data = {**self.data, "username": self.data["username"][: MAX_EMAIL + 1]}

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password and self.request is not None:
            address = client_address(self.request)
            try:
                self.user_cache = services.identify(email=email, password=password, address=address)
            except LockedOut as error:
                raise self.lock(error) from error
            except services.LoginRefused as error:
                raise self.get_invalid_login_error() from error
        return self.cleaned_data


class PasswordForm(LockableForm, AdminPasswordChangeForm):
    """Changes the user's own password. A wrong old password counts as a failed login."""

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            is_correct = services.confirm_password(by=self.user, password=password, address=self.address)
        except LockedOut as error:
            raise self.lock(error) from error
        if not is_correct:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


class AthenaModelAdmin(ListPages, RowPages):
    """The base of all model admins.

    Models with a small `rank` come first in the menu.
    """

    rank = 100

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))


class OwnPasswordChangeView(PasswordChangeView):
    form_class = PasswordForm
    success_url = reverse_lazy("admin:password_change_done")
    template_name = "registration/password_change_form.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "address": client_address(self.request)}


class AthenaSite(admin.AdminSite):
    site_header = site_title = "Athena"
    index_title = "Sales"
    empty_value_display = "–"
    site_url = None  # the admin is the site
    login_form = LoginForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[URLPattern] = []

    def add_pages(self, pages: Iterable[URLPattern]) -> None:
        """Add pages that belong to no model. Their URL names are in the namespace `admin`."""
        self._pages += pages

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [*self._pages, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's, but a form that a page of ours sends after its session has ended is given back."""
        inner = super().admin_view(view, cacheable)

        def check_session(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            is_form = request.method == "POST" and request.path != reverse("admin:logout")
            if is_form and is_from_our_own_page(request) and not self.has_permission(request):
                return error_page(request, "logged_out")
            response: HttpResponse = inner(request, *args, **kwargs)
            return response

        return update_wrapper(check_session, inner)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The menu, by `rank` and then alphabetically."""

        def rank(model: dict[str, Any]) -> int:
            return getattr(self._registry[model["model"]], "rank", AthenaModelAdmin.rank)

        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=rank)
        return sorted(apps, key=lambda app: min(map(rank, app["models"])))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page. Administrators see problems with accounts on it."""
        if isinstance(request.user, User) and request.user.is_superuser:
            for problem in time_zone_checks.describe_unknown_zones():
                messages.warning(
                    request, f"{problem} Athena uses the company’s time zone for them until this is corrected."
                )
        return super().index(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        term = request.GET.get("term", "")
        if len(term) > MAX_TEXT or len(term.split()) > MAX_WORDS or find_text_error(term, one_line=False):
            raise BadRequest("Invalid search.")
        return super().autocomplete_view(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        nobody_yet = {"nobody_yet": request.method == "GET" and not User.objects.exists()}
        response = _with_lockout_status(super().login(request, nobody_yet | (extra_context or {})))
        if isinstance(response, HttpResponseRedirect):  # the same response: it carries the new CSRF cookie
            response["Location"] = choose_redirect(request, response.url, reverse("admin:index"))
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        request.current_app = self.name  # type: ignore[attr-defined]
        view = OwnPasswordChangeView.as_view(extra_context={**self.each_context(request), **(extra_context or {})})
        return cast(TemplateResponse, _with_lockout_status(view(request)))


def _with_lockout_status(response: Any) -> HttpResponse:
    """The response, with status 429 if its form is locked after too many failures."""
    form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
    if isinstance(form, LockableForm) and form.locked_out is not None:
        response.status_code = 429
        response["Retry-After"] = str(form.locked_out.retry_after)
    return cast(HttpResponse, response)
