"""The admin's own site: its name, a way in that counts failures like the API's, and what its lists may be asked."""

from functools import partial
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from athena.accounts import services
from athena.accounts.lockout import LockedOut
from athena.accounts.models import User
from athena.http.addresses import client_address
from athena.http.places import own_page

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
        response = _locked(super().login(request, nobody_yet | (extra_context or {})))
        if isinstance(response, HttpResponseRedirect):
            return HttpResponseRedirect(own_page(request, response.url, reverse("admin:index")))
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
