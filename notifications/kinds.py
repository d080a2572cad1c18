"""The kinds of things people are told of. Each app registers its own when it is ready; a kind is one line there and
three templates (`templates/notifications/<name>.{subject.txt,txt,html}`).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from athena.accounts.models import User

UNLISTED = "unlisted"  # in a context: the keys of what a message counts and does not list, for `lapsed` alone


class PendingNotification(Protocol):
    """A notification, as its kind's app sees it: loaded with its recipient."""

    pk: int
    recipient: User
    recipient_id: int
    dedupe_key: str
    context: Any


# Why each of these notifications (of one kind) that is no longer true is not, by its key. What is still true in part
# loses the rest: the callable changes its `context`, which is not saved. It takes a fixed number of queries.
StalenessRule = Callable[[Collection[PendingNotification]], Mapping[int, str]]


def never_stale(notifications: Collection[PendingNotification]) -> Mapping[int, str]:
    """Of kinds that tell of something that has happened: it stays true."""
    return {}


@dataclass(frozen=True)
class Kind:
    """`label` and `about` say to people what it is. `page` is the address in Athena that it leads to, filled in from
    a notification's context (`"admin/sales/lead/{lead_id}/change/"`); `list_page` is for one that tells of several.
    `off` are the channels that don't tell it unless asked to. `lapsed` is asked just before it is sent; every kind
    that is registered says what it is, if only `never`.
    """

    name: str
    label: str
    description: str
    page: str = ""
    off: frozenset[str] = frozenset()
    list_page: str = ""
    find_stale: StalenessRule | None = None

    def build_path(self, context: Mapping[str, Any]) -> str:
        """The path of what a notification is about; empty where it leads nowhere."""
        try:
            return "/" + self.page.format_map(context) if self.page else ""
        except (KeyError, TypeError):
            return f"/{self.list_page}" if self.list_page else ""


TEST_EMAIL = Kind(
    "test_email",
    "Test e-mail",
    "The one that you send yourself, to see that e-mails arrive.",
    off=frozenset({"in_app"}),
    find_stale=never_stale,
)

_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    _kinds.update({kind.name: kind for kind in kinds})


def get_all() -> list[Kind]:
    """All kinds, in the order in which they were registered."""
    return list(_kinds.values())


def get_kind(name: str) -> Kind:
    """The kind of this name; one that is not registered (any longer) is told like any other."""
    return _kinds.get(name) or Kind(name, name.replace("_", " ").capitalize(), "")
