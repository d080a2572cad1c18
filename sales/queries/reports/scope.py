"""Whose leads or follow-ups a report is narrowed to."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from athena.accounts.models import User


@dataclass(frozen=True)
class Whose:
    """Those of a team's people, of a person, or of a person as one of the team; with neither, everybody's and nobody's.

    It narrows what somebody may read, and never widens it: `visible_to` comes first.
    """

    team: int | None = None
    person: int | None = None

    @property
    def is_narrow(self) -> bool:
        return self.team is not None or self.person is not None

    def of(self, field: str) -> Q:
        """Whether the user in `field` is one of them."""
        condition = Q()
        if self.person is not None:
            condition &= Q(**{field: self.person})
        if self.team is not None:
            people: dict[str, Any] = {f"{field}__in": User.objects.filter(team=self.team).order_by().values("pk")}
            condition &= Q(**people)
        return condition


EVERYBODY = Whose()
