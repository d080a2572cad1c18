"""Template tags of the home page: the user's own day, and for managers their team."""

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
from sales.queries.home.first_steps import FirstSteps, get_first_steps
from sales.queries.home.my_day import MAX_TASKS, MyDay, get_my_day
from sales.queries.home.team_day import TeamDay, get_team_day

register = template.Library()

MAX_TASKS_BESIDE_TEAM = 5  # in each list of a manager's own follow-ups


@register.filter
def share_in_percent(share: float | None) -> str:
    """A share (1 is all of it) as a percentage, written as in reports."""
    return format_percent(None if share is None else share * 100)


@dataclass(frozen=True)
class Home:
    """The parts of a user's home page.

    `team` is for managers only. `day` is None for a manager without leads and follow-ups of their own. Both are None
    while there are `first_steps` and no lead.
    """

    first_steps: FirstSteps | None
    day: MyDay | None
    team: TeamDay | None
    outcomes: list[tuple[str, str]]
    hot_score: int


@register.simple_tag(takes_context=True)
def home(context: Context) -> Home:
    """The home page of the user who is signed in."""
    user = context["user"]
    steps = get_first_steps(user)
    is_new = steps is not None and not steps.has_leads
    team = get_team_day(user) if policy.is_manager(user) and not is_new else None
    day = None if is_new else get_my_day(user, max_tasks=MAX_TASKS_BESIDE_TEAM if team else MAX_TASKS)
    return Home(
        first_steps=steps,
        day=None if team and day and day.is_empty else day,
        team=team,
        outcomes=[(outcome.value, outcome.label) for outcome in FollowUp.Outcome],
        hot_score=settings.HOT_SCORE,
    )


@register.simple_tag
def completion_form(task: Any) -> CompletionForm:
    """The form that completes a follow-up of the home page (annotated with `has_next_step`)."""
    return CompletionForm(task, has_next_step=task.has_next_step)


@register.filter
def choices_of(spec: Any, changelist: Any) -> list[Any]:
    """The choices of a filter of a list, as the filter's own template gets them."""
    return list(spec.choices(changelist))


@register.simple_tag
def email_transport() -> str:
    """How emails are sent, as a phrase."""
    return email.describe_transport()


@register.simple_tag
def company() -> list[tuple[str, object, str]]:
    """The settings about the company: a label, the value, and the name of the setting."""
    return [
        ("Address of this Athena", settings.BASE_URL, "BASE_URL"),
        ("Emails are sent", email.describe_transport(), "EMAIL_URL"),
        ("Emails come from", settings.DEFAULT_FROM_EMAIL, "DEFAULT_FROM_EMAIL"),
        ("Time zone of the company", settings.COMPANY_TIME_ZONE, "COMPANY_TIME_ZONE"),
        ("Country of phone numbers without a country code", settings.PHONE_REGION, "PHONE_REGION"),
        (
            "Public holidays",
            " ".join(filter(None, (settings.HOLIDAYS_COUNTRY, settings.HOLIDAYS_REGION))),
            "HOLIDAYS_COUNTRY",
        ),
        ("A lead is hot from", f"{settings.HOT_SCORE} points", "HOT_SCORE"),
    ]
