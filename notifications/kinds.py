"""The kinds of things people are told of. Each app registers its own when it is ready; a kind is one line there and
three templates (`templates/notifications/<name>.{subject.txt,txt,html}`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """`label` and `about` say to people what it is. `page` is the address in Athena that it leads to, filled in from
    a notification's context (`"admin/sales/lead/{lead_id}/change/"`). `off` are the channels that don't tell it
    unless asked to.
    """

    name: str
    label: str
    about: str
    page: str = ""
    off: frozenset[str] = frozenset()

    def page_for(self, context: Mapping[str, Any]) -> str:
        """The path of what a notification is about; empty where it leads nowhere."""
        try:
            return "/" + self.page.format_map(context) if self.page else ""
        except (KeyError, TypeError):
            return ""


TEST_EMAIL = Kind(
    "test_email",
    "Test e-mail",
    "The one that you send yourself, to see that e-mails arrive.",
    off=frozenset({"in_app"}),
)

_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    _kinds.update({kind.name: kind for kind in kinds})


def every() -> list[Kind]:
    """All kinds, in the order in which they were registered."""
    return list(_kinds.values())


def get(name: str) -> Kind:
    """The kind of this name; one that is not registered (any longer) is told like any other."""
    return _kinds.get(name) or Kind(name, name.replace("_", " ").capitalize(), "")
