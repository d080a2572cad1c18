"""Template tags of the home page: the user's own day and, for managers, their team."""

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

TASKS_BESIDE_TEAM = 5  # the tasks of each kind that a manager sees


@register.filter
def ratio_as_percent(ratio: float | None) -> str:
    """`{{ row.roi|ratio_as_percent }}`: a ratio of 0.375 as 37.5%."""
    return format_percent(None if ratio is None else ratio * 100)


@dataclass(frozen=True)
class Home:
    """The parts of the home page. Only managers have a `team`.

    A manager without tasks has no `day`. As long as there are no leads, there are only the `first_steps`.
    """

    first_steps: FirstSteps | None
    day: MyDay | None
    team: TeamDay | None
    outcomes: list[tuple[str, str]]
    hot_score: int


@register.simple_tag(takes_context=True)
def home(context: Context) -> Home:
    user = context["user"]
    steps = get_first_steps(user)
    is_new = steps is not None and not steps.has_leads
    team = get_team_day(user) if policy.is_manager(user) and not is_new else None
    day = None if is_new else get_my_day(user, max_tasks=TASKS_BESIDE_TEAM if team else MAX_TASKS)
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
def list_choices(spec: Any, changelist: Any) -> list[Any]:
    """The choices of a filter of a change list, as the template of the filter gets them."""
    return list(spec.choices(changelist))


@register.simple_tag
def email_transport() -> str:
    """How emails are sent, in words."""
    return email.describe_transport()


@register.simple_tag
def company_settings() -> list[tuple[str, object, str]]:
    """The settings about the company: label, value, and the setting's name."""
    return [
        ("Address of this Athena", settings.BASE_URL, "BASE_URL"),
        ("Emails are sent", email.describe_transport(), "EMAIL_URL"),
        ("Emails come from", settings.DEFAULT_FROM_EMAIL, "DEFAULT_FROM_EMAIL"),
        ("The company’s time zone", settings.COMPANY_TIME_ZONE, "COMPANY_TIME_ZONE"),
        ("Country of phone numbers without a country code", settings.PHONE_REGION, "PHONE_REGION"),
        (
            "Public holidays",
            " ".join(filter(None, (settings.HOLIDAYS_COUNTRY, settings.HOLIDAYS_REGION))),
            "HOLIDAYS_COUNTRY",
        ),
        ("A lead is hot from", f"{settings.HOT_SCORE} points", "HOT_SCORE"),
    ]
