"""Hiding the first steps, the list of what to set up in a new system. Their states are derived; only this is stored."""

from athena.accounts.models import User
from notifications.models import Preference
from sales import policy
from sales.queries.home.first_steps import HIDDEN_PREFERENCE


def hide(*, by: User) -> None:
    """Never show the first steps to `by` again. Raises `NotAllowed` below manager."""
    policy.check_is_manager(by)
    Preference.objects.update_or_create(
        user=by, kind=HIDDEN_PREFERENCE["kind"], channel=HIDDEN_PREFERENCE["channel"], defaults=HIDDEN_PREFERENCE
    )
