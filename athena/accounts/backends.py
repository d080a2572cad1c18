"""Django's authentication backend: passwords, and permissions by role."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from athena.accounts.models import User
from athena.accounts.roles import get_permissions


class RoleBackend(ModelBackend):
    """Authenticates by email and password. A user's permissions come from the table of roles, without a query."""

    def _find_permissions(self, user_obj: Any) -> set[str]:
        return set(get_permissions(user_obj.role)) if user_obj.is_active and not user_obj.is_anonymous else set()

    def get_user_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        return self._find_permissions(user_obj)

    def get_group_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        return set()

    def get_all_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        return self._find_permissions(user_obj)

    def get_user(self, user_id: int) -> Any:
        """The user of a session, with their team; None after deactivation."""
        user = User.objects.select_related("team").filter(pk=user_id).first()
        return user if user is not None and user.is_active else None
