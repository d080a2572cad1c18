"""A manager's first steps in a new system: they are derived from what there is; that somebody wants no more of them
is all that is kept.
"""

from athena.accounts.models import User
from notifications.models import Preference
from sales import policy
from sales.queries.home.first_steps import HIDDEN_PREFERENCE


def hide(*, by: User) -> None:
    """They are not shown to this person again. Raises `NotAllowed` below manager."""
    policy.check_is_manager(by)
    Preference.objects.update_or_create(
        user=by, kind=HIDDEN_PREFERENCE["kind"], channel=HIDDEN_PREFERENCE["channel"], defaults=HIDDEN_PREFERENCE
    )
