"""How things stand with a manager's people and leads today: their home page. Every number has a list behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Func, IntegerField, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Delivery
from sales import policy
from sales.models import FollowUp, Lead, ScoringRun
from sales.models.lead import OPEN_STATUSES
from sales.queries import lead_views, source_roi, speed
from sales.queries.period import Period
from sales.schedule import company_today, month_began

COUNTED = ("unowned", "unplanned", "uncontacted", "stale", "expiring")
FAILED_DAYS, SPEED_DAYS, SOURCE_DAYS = 7, 30, 90
SOURCES = 5
_STAGES = {f"{status}_leads": Count("pk", filter=Q(status=status)) for status in OPEN_STATUSES} | {
    f"{status}_value": Coalesce(Sum("estimated_value", filter=Q(status=status)), Decimal(0)) for status in OPEN_STATUSES
}


@dataclass(frozen=True)
class Person:
    user_id: int
    full_name: str
    is_active: bool
    overdue: int
    open_leads: int


@dataclass(frozen=True)
class Stage:
    """A status of open leads. `value`: what they are estimated to be worth, in the company's currency."""

    status: str
    label: str
    leads: int
    value: Decimal


@dataclass(frozen=True)
class Bookings:
    """Of this month so far, of the month before by the same moment, and of the whole month before."""

    now: tuple[int, Decimal]
    by_then: tuple[int, Decimal]
    before: tuple[int, Decimal]


@dataclass(frozen=True)
class Team:
    counts: dict[str, int]
    people: list[Person]
    pipeline: list[Stage]
    bookings: Bookings
    first_contact_hours: float | None  # the median of the leads of the last thirty days
    sources: list[dict[str, Any]]  # rows of `source_roi` of the last ninety days
    failed_runs: int
    failed_deliveries: int


def team_day(user: User) -> Team:
    """What this manager may read, as it stands now. A fixed number of queries."""
    visible = Lead.objects.visible_to(user).order_by()
    counted = lead_views.counts(user, visible, COUNTED, **_STAGES)
    failed_runs, failed_deliveries = _failed(user)
    return Team(
        counts={name: counted[name] for name in COUNTED},
        people=_people(user),
        pipeline=[
            Stage(status, Lead.Status(status).label, counted[f"{status}_leads"], counted[f"{status}_value"])
            for status in OPEN_STATUSES
        ],
        bookings=_bookings(user, visible),
        first_contact_hours=speed.first_contact_hours(user, _last(SPEED_DAYS)),
        sources=source_roi.in_brief(user, _last(SOURCE_DAYS), SOURCES),
        failed_runs=failed_runs,
        failed_deliveries=failed_deliveries,
    )


def _last(days: int) -> Period:
    return Period(start=company_today() - timedelta(days=days))


def _failed(user: User) -> tuple[int, int]:
    """How many scoring runs, and how many messages, lately. One query."""
    lately = timezone.now() - timedelta(days=FAILED_DAYS)
    runs = ScoringRun.objects.filter(state=ScoringRun.State.FAILED, finished_at__gte=lately)
    deliveries = Delivery.objects.visible_to(user).filter(state=Delivery.State.DEAD, ended_at__gte=lately)
    counts: list[Any] = [_many(runs), _many(deliveries)]
    found: tuple[int, int] = User.objects.filter(pk=user.pk).values_list(*counts).get()
    return found


def _many(rows: "QuerySet[Any, Any]") -> Subquery:
    return Subquery(rows.order_by().values(many=Func("pk", function="COUNT", output_field=IntegerField())))


def _people(user: User) -> list[Person]:
    """Who has overdue follow-ups or open leads: whoever is most behind comes first."""
    people = User.objects.filter(policy.people_in_scope_of(user)).order_by()
    late = FollowUp.objects.overdue().of_kept_leads().filter(assigned_to__in=people.values("pk"))
    overdue = dict(late.order_by().values_list("assigned_to").annotate(Count("pk")))
    owned = Lead.objects.open().filter(assigned_to__in=people.values("pk"))
    leads = dict(owned.order_by().values_list("assigned_to").annotate(Count("pk")))
    rows = [
        Person(pk, name, active, overdue.get(pk, 0), leads.get(pk, 0))
        for pk, name, active in people.values_list("pk", "full_name", "is_active")
        if overdue.get(pk) or leads.get(pk)
    ]
    return sorted(rows, key=lambda person: (-person.overdue, person.full_name))


def _bookings(user: User, visible: Any) -> Bookings:
    now = timezone.now()
    this, last = (month_began(user, ago) for ago in (0, 1))
    won = visible.filter(status=Lead.Status.WON, closed_at__gte=last)
    spans = {"now": (this, None), "by_then": (last, min(last + (now - this), this)), "before": (last, this)}
    asked: dict[str, Any] = {}
    for name, (start, end) in spans.items():
        within = _closed_within(start, end)
        asked[f"{name}_count"] = Count("pk", filter=within)
        asked[f"{name}_value"] = Coalesce(Sum("booked_value", filter=within), Decimal(0))
    found = won.aggregate(**asked)
    return Bookings(**{name: (found[f"{name}_count"], found[f"{name}_value"]) for name in spans})


def _closed_within(start: datetime, end: datetime | None) -> Q:
    return Q(closed_at__gte=start, closed_at__lt=end) if end else Q(closed_at__gte=start)
