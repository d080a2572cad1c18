"""A manager's home page: their people and leads today. Every number links to the list that it counts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django.core.cache import cache
from django.db.models import Count, Func, IntegerField, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from athena.accounts.models import User
from notifications.models import Delivery
from sales import policy
from sales.models import FollowUp, Lead, ScoringRun
from sales.models.leads.lead import OPEN_STATUSES, LeadQuerySet
from sales.queries.home import lead_views
from sales.queries.reports.period import Period
from sales.queries.reports.source_roi import SourceRoiRow, compute_top_sources
from sales.queries.reports.speed import compute_first_contact_hours
from sales.schedule import company_today, get_month_start

COUNTED_VIEWS = ("unowned", "unplanned", "uncontacted", "stale", "expiring")
FAILURE_DAYS, SPEED_DAYS, SOURCE_DAYS = 7, 30, 90
MAX_SOURCES = 5
RECENT_CACHE_SECONDS = 300


@dataclass(frozen=True)
class TeamMember:
    """One of the manager's people, with their overdue follow-ups and open leads."""

    user_id: int
    full_name: str
    is_active: bool
    overdue: int
    open_leads: int


@dataclass(frozen=True)
class PipelineStage:
    """A status of open leads: their number, and the sum of their estimated values in the company's currency."""

    status: str
    label: str
    leads: int
    value: Decimal


class Bookings(NamedTuple):
    """The trips that were won in a period, and the sum of their won values in the company's currency."""

    trips: int
    value: Decimal


@dataclass(frozen=True)
class MonthlyBookings:
    """The bookings of this month so far, of last month by the same day and time, and of all of last month."""

    this_month: Bookings
    last_month_by_now: Bookings
    last_month: Bookings


@dataclass(frozen=True)
class RecentFigures:
    """Figures over weeks, computed at most once in `RECENT_CACHE_SECONDS`."""

    as_of: datetime
    first_contact_hours: float | None  # median of the last `SPEED_DAYS` days
    sources: list[SourceRoiRow]  # of the last `SOURCE_DAYS` days


@dataclass(frozen=True)
class TeamDay:
    """What a manager's home page shows. `counts` has the number of leads in each of `COUNTED_VIEWS`."""

    counts: dict[str, int]
    people: list[TeamMember]
    pipeline: list[PipelineStage]
    bookings: MonthlyBookings
    recent: RecentFigures
    failed_runs: int
    failed_deliveries: int


@dataclass(frozen=True)
class _LeadGroup:
    """The open leads of one owner in one status: their number and value, and how many are in each counted view."""

    owner_id: int | None
    status: str
    leads: int
    value: Decimal
    view_counts: dict[str, int]


def get_team_day(user: User) -> TeamDay:
    """What the home page of a manager shows, of the leads that `user` may read. At most ten queries."""
    visible_leads = Lead.objects.visible_to(user).order_by()
    groups = _group_open_leads(user, visible_leads)
    failed_runs, failed_deliveries = _count_failures(user)
    return TeamDay(
        counts={name: sum(group.view_counts[name] for group in groups) for name in COUNTED_VIEWS},
        people=_list_people(user, groups),
        pipeline=[_sum_up_stage(status, groups) for status in OPEN_STATUSES],
        bookings=_sum_up_bookings(user, visible_leads),
        recent=_get_recent_figures(user),
        failed_runs=failed_runs,
        failed_deliveries=failed_deliveries,
    )


def _group_open_leads(user: User, visible_leads: LeadQuerySet) -> list[_LeadGroup]:
    """The open leads, by owner and status. One query."""
    value = Coalesce(Sum("estimated_value"), Decimal(0))
    rows: Any = lead_views.select_open_leads(visible_leads).values("assigned_to", "status")
    counters = lead_views.build_counters(user, COUNTED_VIEWS)
    return [
        _LeadGroup(
            owner_id=row["assigned_to"],
            status=row["status"],
            leads=row["leads"],
            value=row["value"],
            view_counts={name: row[name] for name in COUNTED_VIEWS},
        )
        for row in rows.annotate(leads=Count("pk"), value=value, **counters)
    ]


def _sum_up_stage(status: str, groups: list[_LeadGroup]) -> PipelineStage:
    of_status = [group for group in groups if group.status == status]
    leads = sum(group.leads for group in of_status)
    value = sum((group.value for group in of_status), Decimal(0))
    return PipelineStage(status, Lead.Status(status).label, leads, value)


def _get_recent_figures(user: User) -> RecentFigures:
    def compute() -> RecentFigures:
        return RecentFigures(
            as_of=timezone.now(),
            first_contact_hours=compute_first_contact_hours(user, _get_last_days(SPEED_DAYS)),
            sources=compute_top_sources(user, _get_last_days(SOURCE_DAYS), MAX_SOURCES),
        )

    key = f"recent-figures:{user.pk}:{user.role}:{user.team_id}"
    return cast(RecentFigures, cache.get_or_set(key, compute, RECENT_CACHE_SECONDS))


def _get_last_days(days: int) -> Period:
    """The period from so many days ago until now, on the company's calendar."""
    return Period(start=company_today() - timedelta(days=days))


def _count_failures(user: User) -> tuple[int, int]:
    """The numbers of scoring runs and deliveries that failed in the last `FAILURE_DAYS` days. One query."""
    since = timezone.now() - timedelta(days=FAILURE_DAYS)
    runs = ScoringRun.objects.filter(state=ScoringRun.State.FAILED, finished_at__gte=since)
    deliveries = Delivery.objects.visible_to(user).filter(state=Delivery.State.DEAD, ended_at__gte=since)
    expressions: list[Any] = [_count_rows(runs), _count_rows(deliveries)]
    counts: tuple[int, int] = User.objects.filter(pk=user.pk).values_list(*expressions).get()
    return counts


def _count_rows(rows: "QuerySet[Any, Any]") -> Subquery:
    return Subquery(rows.order_by().values(count=Func("pk", function="COUNT", output_field=IntegerField())))


def _list_people(user: User, groups: list[_LeadGroup]) -> list[TeamMember]:
    """The people with overdue follow-ups or open leads; those with the most overdue come first."""
    people = User.objects.filter(policy.get_scope_filter(user)).order_by()
    follow_ups = FollowUp.objects.visible_to(user).overdue().filter(assigned_to__in=people.values("pk"))
    overdue = dict(follow_ups.order_by().values_list("assigned_to").annotate(Count("pk")))
    leads = Counter[int | None]()
    for group in groups:
        leads[group.owner_id] += group.leads
    members = [
        TeamMember(pk, full_name, is_active, overdue.get(pk, 0), leads[pk])
        for pk, full_name, is_active in people.values_list("pk", "full_name", "is_active")
        if overdue.get(pk) or leads[pk]
    ]
    return sorted(members, key=lambda member: (-member.overdue, member.full_name))


def _sum_up_bookings(user: User, visible_leads: LeadQuerySet) -> MonthlyBookings:
    """The bookings of this and of last month, which begin where `user` is. One query."""
    now = timezone.now()
    this_month, last_month = get_month_start(user), get_month_start(user, months_ago=1)
    periods = {
        "this_month": Q(closed_at__gte=this_month),
        "last_month_by_now": Q(
            closed_at__gte=last_month, closed_at__lt=min(last_month + (now - this_month), this_month)
        ),
        "last_month": Q(closed_at__gte=last_month, closed_at__lt=this_month),
    }
    aggregates: dict[str, Any] = {}
    for name, is_in_period in periods.items():
        aggregates[f"{name}_trips"] = Count("pk", filter=is_in_period)
        aggregates[f"{name}_value"] = Coalesce(Sum("booked_value", filter=is_in_period), Decimal(0))
    sums = visible_leads.filter(status=Lead.Status.WON, closed_at__gte=last_month).aggregate(**aggregates)
    return MonthlyBookings(
        **{name: Bookings(trips=sums[f"{name}_trips"], value=sums[f"{name}_value"]) for name in periods}
    )
