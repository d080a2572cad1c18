"""What people were told, and whether it reached them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from athena.accounts.models import User
from athena.accounts.roles import Role, at_least
from athena.accounts.site import OwnColumnsAdmin
from notifications.models import Notification, Preference


class ReadOnlyAdmin(OwnColumnsAdmin):
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """One's own; an admin sees everybody's, to prove a delivery."""
        user: User = request.user  # type: ignore[assignment]
        rows = super().get_queryset(request)
        return rows if at_least(user, Role.ADMIN) else rows.filter(**{self.owner: user.pk})

    owner = "recipient"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "recipient", "state", "attempts", "next_attempt_at", "sent_at", "last_error")
    list_select_related = ("recipient",)
    list_filter = ("state", "kind")
    search_fields = ("dedupe_key",)
    ordering = ("-created_at", "-id")


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind", "email", "in_app")
    list_select_related = ("user",)
    ordering = ("user", "kind")
    owner = "user"
