"""What the home page shows: one's own day, and for managers how things stand with their team."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context

from athena.formatting import format_percent
from notifications.channels import email
from sales import policy
from sales.forms import CompletionForm
from sales.models import FollowUp
from sales.queries.home.first_steps import FirstSteps, first_steps
from sales.queries.home.my_day import MAX_TASKS, MyDay, my_day
from sales.queries.home.team_day import TeamDay, team_day

register = template.Library()

BESIDE_A_TEAM = 5  # tasks of each kind that managers see of their own


@register.filter
def share_in_percent(share: float | None) -> str:
    """A share (1 is all) in per cent, as reports write it."""
    return format_percent(None if share is None else share * 100)


@dataclass(frozen=True)
class Home:
    """`team` is for managers alone. `day` is left out where a manager has nothing of their own to do, and both where
    there is no lead at all and the `first_steps` say so.
    """

    first_steps: FirstSteps | None
    day: MyDay | None
    team: TeamDay | None
    outcomes: list[tuple[str, str]]
    hot_score: int


@register.simple_tag(takes_context=True)
def home(context: Context) -> Home:
    user = context["user"]
    steps = first_steps(user)
    is_new = steps is not None and not steps.has_leads
    team = team_day(user) if policy.is_manager(user) and not is_new else None
    day = None if is_new else my_day(user, tasks_shown=BESIDE_A_TEAM if team else MAX_TASKS)
    return Home(
        first_steps=steps,
        day=None if team and day and day.is_empty else day,
        team=team,
        outcomes=[(each.value, each.label) for each in FollowUp.Outcome],
        hot_score=settings.HOT_SCORE,
    )


@register.simple_tag
def completion_form(task: Any) -> CompletionForm:
    """The form that completes a follow-up of the home page (annotated with `has_next_step`)."""
    return CompletionForm(task, has_next_step=task.has_next_step)


@register.filter
def choices_of(spec: Any, changelist: Any) -> list[Any]:
    """The choices of a list's filter, as the filter's own template gets them."""
    return list(spec.choices(changelist))


@register.simple_tag
def mails_leave() -> str:
    return email.describe_transport()


@register.simple_tag
def company() -> list[tuple[str, object, str]]:
    """What the settings say about the company: what it is, its value, and the setting's name."""
    return [
        ("Address of this Athena", settings.BASE_URL, "BASE_URL"),
        ("E-mails leave", email.describe_transport(), "EMAIL_URL"),
        ("E-mails come from", settings.DEFAULT_FROM_EMAIL, "DEFAULT_FROM_EMAIL"),
        ("The company’s time zone", settings.COMPANY_TIME_ZONE, "COMPANY_TIME_ZONE"),
        ("Telephone numbers without a country", settings.PHONE_REGION, "PHONE_REGION"),
        (
            "Public holidays",
            " ".join(filter(None, (settings.HOLIDAYS_COUNTRY, settings.HOLIDAYS_REGION))),
            "HOLIDAYS_COUNTRY",
        ),
        ("A lead is hot from", f"{settings.HOT_SCORE} points", "HOT_SCORE"),
    ]
