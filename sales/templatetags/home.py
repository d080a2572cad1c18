"""What the home page shows: one's own day, and for managers how things stand with their team."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context

from sales import policy
from sales.models import FollowUp
from sales.queries.my_day import Day, my_day
from sales.queries.team_day import Team, team_day
from sales.services.follow_ups import DEFAULT_NEXT_DAYS

register = template.Library()


@dataclass(frozen=True)
class Home:
    """`team` is for managers alone. `day` is left out where a manager has nothing of their own to do."""

    day: Day | None
    team: Team | None
    outcomes: list[tuple[str, str]]
    next_days: int
    hot_score: int


@register.simple_tag(takes_context=True)
def home(context: Context) -> Home:
    user = context["user"]
    team = team_day(user) if policy.is_manager(user) else None
    day = my_day(user)
    return Home(
        day=None if team and day.is_empty else day,
        team=team,
        outcomes=[(each.value, each.label) for each in FollowUp.Outcome],
        next_days=DEFAULT_NEXT_DAYS,
        hot_score=settings.HOT_SCORE,
    )


@register.filter
def choices_of(spec: Any, changelist: Any) -> list[Any]:
    """The choices of a list's filter, as the filter's own template gets them."""
    return list(spec.choices(changelist))
