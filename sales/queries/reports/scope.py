"""The people whose leads or follow-ups a report is about."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from athena.accounts.models import User


@dataclass(frozen=True)
class Scope:
    """A team (by id), a person (by id), or a person only while they are in the team.

    Without either it is the whole company, including what nobody owns. A scope narrows what a user may read and never
    widens it: a query applies `visible_to` first.
    """

    team: int | None = None
    person: int | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether the scope is less than the whole company."""
        return self.team is not None or self.person is not None

    def matches(self, field: str) -> Q:
        """The condition that the user in `field` belongs to the scope."""
        condition = Q()
        if self.person is not None:
            condition &= Q(**{field: self.person})
        if self.team is not None:
            people: dict[str, Any] = {f"{field}__in": User.objects.filter(team=self.team).order_by().values("pk")}
            condition &= Q(**people)
        return condition


COMPANY = Scope()
