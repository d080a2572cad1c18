"""The admin's own site: its name, a way in that counts failures like the API's, and what its lists may be asked."""

from collections.abc import Iterable
from functools import partial, update_wrapper
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
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
    """A form that asks for a password, of which too many were wrong perhaps."""

    locked_out: LockedOut | None = None

    def lock(self, error: LockedOut) -> ValidationError:
        """What to raise."""
        self.locked_out = error
        return ValidationError(str(error), code="locked_out")


class LoginForm(LockableForm, AdminAuthenticationForm):
    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if len(self.data.get("username", "")) > MAX_EMAIL:  # the page shows it again
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
    """For one's own password: a wrong old one counts like a failed login."""

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            right = services.confirm_password(by=self.user, password=password, address=self.address)
        except LockedOut as error:
            raise self.lock(error) from error
        if not right:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


class AthenaModelAdmin(ListPages, RowPages):
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[URLPattern] = []

    def add_pages(self, pages: Iterable[URLPattern]) -> None:
        """Add pages that belong to no model. Their URL names are in the namespace `admin`."""
        self._pages += pages

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [*self._pages, *super().get_urls()]

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
            return getattr(self._registry[model["model"]], "rank", AthenaModelAdmin.rank)

        menu = super().get_app_list(request, app_label)
        for part in menu:
            part["models"].sort(key=rank)
        return sorted(menu, key=lambda part: min(map(rank, part["models"])))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page; administrators read on it what is wrong with accounts."""
        if isinstance(request.user, User) and request.user.is_superuser:
            for problem in time_zone_checks.describe_unknown_zones():
                messages.warning(request, f"{problem} The company’s zone counts for them until it is corrected.")
        return super().index(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        term = request.GET.get("term", "")
        if len(term) > MAX_TEXT or len(term.split()) > MAX_WORDS or find_text_error(term, one_line=False):
            raise BadRequest("Nothing is called this.")
        return super().autocomplete_view(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        nobody_yet = {"nobody_yet": request.method == "GET" and not User.objects.exists()}
        response = _locked(super().login(request, nobody_yet | (extra_context or {})))
        if isinstance(response, HttpResponseRedirect):  # the same response: it carries the new CSRF cookie
            response["Location"] = choose_redirect(request, response.url, reverse("admin:index"))
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        request.current_app = self.name  # type: ignore[attr-defined]
        view = PasswordChangeView.as_view(
            form_class=partial(PasswordForm, address=client_address(request)),
            success_url=reverse("admin:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast(TemplateResponse, _locked(view(request)))


def _locked(response: Any) -> HttpResponse:
    """The page, as 429 where its form says that too many passwords were wrong."""
    form = (response.context_data or {}).get("form") if isinstance(response, TemplateResponse) else None
    if isinstance(form, LockableForm) and form.locked_out is not None:
        response.status_code = 429
        response["Retry-After"] = str(form.locked_out.retry_after)
    return cast(HttpResponse, response)
