"""The admin pages of users and teams: administrators write, managers read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.http import HttpRequest

from athena.accounts.models import Team, User, zone_choices
from athena.admin.site import AthenaModelAdmin
from athena.forms import StrictRowForm

admin.site.unregister(Group)


@admin.register(Team)
class TeamAdmin(AthenaModelAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name",)


class UserForm(StrictRowForm, UserChangeForm):  # type: ignore[type-arg]
    """The form of a user."""


class NewUserForm(StrictRowForm, AdminUserCreationForm):  # type: ignore[type-arg]
    """The form of a new user."""


@admin.register(User)
class UserAdmin(AthenaModelAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Users are deactivated, never deleted."""

    form: Any = UserForm
    add_form = NewUserForm
    list_display = ("full_name", "email", "role", "team", "time_zone", "is_active", "last_login")
    list_select_related = ("team",)
    list_filter = ("role", "team", "is_active")
    search_fields = ("full_name", "email")
    ordering = ("full_name", "id")
    filter_horizontal = ()
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("full_name", "time_zone", "reminder_minutes", "digest_hour")}),
        ("Work", {"fields": ("role", "team", "max_open_leads", "away_until", "is_active")}),
        ("History", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": (
            "email", "full_name", "role", "team", "time_zone", "usable_password", "password1", "password2",
        )}),
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Hide the password field from users who may only read: its button leads to a page that they may not open."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return ((None, {"fields": ("email",)}), *fieldsets[1:])

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "time_zone":
            return forms.ChoiceField(choices=zone_choices(), initial=db_field.default)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and "is_active" in form.changed_data:
            obj.login_epoch += 1  # sessions and tokens from before stay invalid after reactivation
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
