"""The registry of notification kinds. Each app registers its own kinds when Django is ready.

A new kind is one entry in its app's list (`sales/notification_kinds.py`) and three templates
(`templates/notifications/<name>.{subject.txt,txt,html}`).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from athena.accounts.models import User

EMAIL, IN_APP = "email", "in_app"  # names of channels, as stored
UNLISTED = "unlisted"  # in a context: the keys of items that are counted but not listed; only staleness rules read it


class PendingNotification(Protocol):
    """What a staleness rule may read of a notification. Its recipient is loaded."""

    pk: int
    recipient: User
    recipient_id: int
    dedupe_key: str
    context: Any


# Takes notifications of one kind and returns, by notification id, the reason why each stale one is no longer true.
# It removes from the `context` of the others (without saving) the items that are no longer true. The number of its
# queries does not depend on the number of notifications.
StalenessRule = Callable[[Collection[PendingNotification]], Mapping[int, str]]


def never_stale(notifications: Collection[PendingNotification]) -> Mapping[int, str]:
    """The staleness rule of kinds that report something which has happened and stays true."""
    return {}


@dataclass(frozen=True)
class Kind:
    """A kind of notification.

    `label` and `description` are shown to users. `page` is the path in Athena that a notification opens, filled in from
    its context (`"admin/sales/lead/{lead_id}/change/"`); `list_page` is used when the context lacks what `page` needs.
    `channels` are the channels that may send the kind: no other channel ever does. Those in `off_by_default` send it
    only to users who turn it on. `find_stale` is called just before a notification is sent; every registered kind sets
    it, if only to `never_stale`.
    """

    name: str
    label: str
    description: str
    page: str = ""
    channels: tuple[str, ...] = (EMAIL, IN_APP)
    off_by_default: frozenset[str] = frozenset()
    list_page: str = ""
    find_stale: StalenessRule | None = None

    def build_path(self, context: Mapping[str, Any]) -> str:
        """Return the path of the page that a notification opens; empty if there is none."""
        try:
            return "/" + self.page.format_map(context) if self.page else ""
        except (KeyError, TypeError):
            return f"/{self.list_page}" if self.list_page else ""

    def is_sent_by(self, channel: str, choice: bool | None) -> bool:
        """Whether `channel` sends this kind to a user with this stored choice (None: no choice stored)."""
        if channel not in self.channels:
            return False
        return channel not in self.off_by_default if choice is None else choice


TEST_EMAIL = Kind(
    "test_email",
    "Test email",
    "The email that you send yourself to check that emails reach you.",
    off_by_default=frozenset({IN_APP}),
    find_stale=never_stale,
)

_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Add kinds to the registry; a kind with a name that is registered already replaces it."""
    _kinds.update({kind.name: kind for kind in kinds})


def get_all() -> list[Kind]:
    """Return all kinds in the order of their registration."""
    return list(_kinds.values())


def get_kind(name: str) -> Kind:
    """Return the kind with this name. A name that is not registered (any longer) gets a kind with default settings."""
    return _kinds.get(name) or Kind(name, name.replace("_", " ").capitalize(), "")
