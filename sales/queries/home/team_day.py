"""How things stand with a manager's people and leads today: their home page. Every number has a list behind it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.core.cache import cache
from django.db.models import Count, Func, IntegerField, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Delivery
from sales import policy
from sales.models import FollowUp, Lead, ScoringRun
from sales.models.lead import OPEN_STATUSES, LeadQuerySet
from sales.queries.home import lead_views
from sales.queries.reports.period import Period
from sales.queries.reports.source_roi import SourceRoiRow, compute_top_sources
from sales.queries.reports.speed import compute_first_contact_hours
from sales.schedule import company_today, get_month_start

COUNTED_VIEWS = ("unowned", "unplanned", "uncontacted", "stale", "expiring")
FAILED_DAYS, SPEED_DAYS, SOURCE_DAYS = 7, 30, 90
SOURCES = 5
RECENT_CACHE_SECONDS = 300


@dataclass(frozen=True)
class TeamMember:
    user_id: int
    full_name: str
    is_active: bool
    overdue: int
    open_leads: int


@dataclass(frozen=True)
class PipelineStage:
    """A status of open leads. `value`: what they are estimated to be worth, in the company's currency."""

    status: str
    label: str
    leads: int
    value: Decimal


@dataclass(frozen=True)
class MonthlyBookings:
    """Of this month so far, of the month before by the same moment, and of the whole month before."""

    now: tuple[int, Decimal]
    by_then: tuple[int, Decimal]
    before: tuple[int, Decimal]


@dataclass(frozen=True)
class RecentFigures:
    """Figures of weeks, which a few minutes hardly change: they are worked out once in that time."""

    as_of: datetime
    first_contact_hours: float | None  # the median of the leads of the last thirty days
    sources: list[SourceRoiRow]  # of the last ninety days


@dataclass(frozen=True)
class TeamDay:
    counts: dict[str, int]
    people: list[TeamMember]
    pipeline: list[PipelineStage]
    bookings: MonthlyBookings
    recent: RecentFigures
    failed_runs: int
    failed_deliveries: int


def team_day(user: User) -> TeamDay:
    """What this manager may read, as it stands now. At most ten queries."""
    visible = Lead.objects.visible_to(user).order_by()
    open_leads = _open_leads(user, visible)
    failed_runs, failed_deliveries = _failed(user)
    return TeamDay(
        counts={name: sum(row[name] for row in open_leads) for name in COUNTED_VIEWS},
        people=_people(user, open_leads),
        pipeline=[_stage(status, [row for row in open_leads if row["status"] == status]) for status in OPEN_STATUSES],
        bookings=_bookings(user, visible),
        recent=_lately(user),
        failed_runs=failed_runs,
        failed_deliveries=failed_deliveries,
    )


def _open_leads(user: User, visible: LeadQuerySet) -> list[dict[str, Any]]:
    """By owner and status: how many `leads`, their `value`, and how many are in each view. One query."""
    value = Coalesce(Sum("estimated_value"), Decimal(0))
    grouped: Any = lead_views.select_open_leads(visible).values("assigned_to", "status")
    return list(grouped.annotate(leads=Count("pk"), value=value, **lead_views.build_counters(user, COUNTED_VIEWS)))


def _stage(status: str, rows: list[dict[str, Any]]) -> PipelineStage:
    leads, value = sum(row["leads"] for row in rows), sum((row["value"] for row in rows), Decimal(0))
    return PipelineStage(status, Lead.Status(status).label, leads, value)


def _lately(user: User) -> RecentFigures:
    kept: Any = cache.get_or_set(
        f"lately:{user.pk}:{user.role}:{user.team_id}",
        lambda: RecentFigures(
            timezone.now(),
            compute_first_contact_hours(user, _last(SPEED_DAYS)),
            compute_top_sources(user, _last(SOURCE_DAYS), SOURCES),
        ),
        RECENT_CACHE_SECONDS,
    )
    return cast(RecentFigures, kept)


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


def _people(user: User, open_leads: list[dict[str, Any]]) -> list[TeamMember]:
    """Who has overdue follow-ups or open leads: whoever is most behind comes first."""
    people = User.objects.filter(policy.get_scope_filter(user)).order_by()
    late = FollowUp.objects.visible_to(user).overdue().filter(assigned_to__in=people.values("pk"))
    overdue = dict(late.order_by().values_list("assigned_to").annotate(Count("pk")))
    leads = Counter[int]()
    for row in open_leads:
        leads[row["assigned_to"]] += row["leads"]
    rows = [
        TeamMember(pk, name, active, overdue.get(pk, 0), leads[pk])
        for pk, name, active in people.values_list("pk", "full_name", "is_active")
        if overdue.get(pk) or leads[pk]
    ]
    return sorted(rows, key=lambda person: (-person.overdue, person.full_name))


def _bookings(user: User, visible: Any) -> MonthlyBookings:
    now = timezone.now()
    this, last = (get_month_start(user, ago) for ago in (0, 1))
    won = visible.filter(status=Lead.Status.WON, closed_at__gte=last)
    spans = {"now": (this, None), "by_then": (last, min(last + (now - this), this)), "before": (last, this)}
    asked: dict[str, Any] = {}
    for name, (start, end) in spans.items():
        within = _closed_within(start, end)
        asked[f"{name}_count"] = Count("pk", filter=within)
        asked[f"{name}_value"] = Coalesce(Sum("booked_value", filter=within), Decimal(0))
    found = won.aggregate(**asked)
    return MonthlyBookings(**{name: (found[f"{name}_count"], found[f"{name}_value"]) for name in spans})


def _closed_within(start: datetime, end: datetime | None) -> Q:
    return Q(closed_at__gte=start, closed_at__lt=end) if end else Q(closed_at__gte=start)
