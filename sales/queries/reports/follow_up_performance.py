"""The report "Follow-up performance": one aggregate in the database, added up by person, type or outcome."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Case, Count, DateField, F, Max, Min, Q, QuerySet, When
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import LessThanOrEqual

from athena import time_zones
from athena.accounts.models import User
from sales import errors, policy
from sales.models import FollowUp
from sales.models.follow_ups.follow_up import is_before_today
from sales.queries.reports.period import Period
from sales.queries.reports.rounding import compute_percentage
from sales.queries.reports.scope import COMPANY, Scope
from sales.queries.reports.table import ReportRow, ReportTable


class _Group(NamedTuple):
    """The counts of the follow-ups with the same assignee, type and outcome."""

    user_id: int
    full_name: str
    follow_up_type: str
    outcome: str | None
    total: int
    completed: int
    overdue: int
    cancelled: int
    on_time: int


@dataclass(frozen=True)
class FollowUpCounts:
    """Canceled follow-ups count as `cancelled` alone; rates are percentages with two decimals, 0 if there is nothing.

    `on_time_rate` is the part of the completed follow-ups that were completed on or before their first scheduled date,
    on the assignee's calendar.
    """

    total: int
    completed: int
    pending: int
    overdue: int
    cancelled: int
    completion_rate: float
    on_time_rate: float


@dataclass(frozen=True)
class FollowUpRow(ReportRow):
    """The same numbers as a row of a table."""

    total: int
    completed: int
    pending: int
    overdue: int
    cancelled: int
    completion_rate: float
    on_time_rate: float


_TYPES, _OUTCOMES = dict(FollowUp.Type.choices), dict(FollowUp.Outcome.choices)


def _by_person(group: _Group) -> tuple[int, str]:
    return group.user_id, group.full_name


def _by_type(group: _Group) -> tuple[str, str]:
    return group.follow_up_type, str(_TYPES.get(group.follow_up_type, group.follow_up_type))


def _by_outcome(group: _Group) -> tuple[str | None, str]:
    if not group.outcome:
        return group.outcome, "no outcome"
    return group.outcome, str(_OUTCOMES.get(group.outcome, group.outcome))


# The key and the name of the row that a group belongs to.
_KEY_AND_NAME: dict[str, Callable[[_Group], tuple[int | str | None, str]]] = {
    "person": _by_person,
    "type": _by_type,
    "outcome": _by_outcome,
}


def compute_follow_up_performance(
    user: User, *, user_id: int | None = None, start_date: date | None = None, end_date: date | None = None
) -> dict[str, Any]:
    """Compute the report as the API answers it, over follow-ups of all people whose numbers `user` may read.

    Counts the follow-ups scheduled from `start_date` to `end_date`, both included; with `user_id`, only those assigned
    to that user. Raises `NotFound` if there is no such user and `NotAllowed` if `user` may not read their numbers.
    """
    groups = _count_follow_ups(_select_follow_ups(user, user_id), Period(start_date, end_date))
    outcomes: Counter[str] = Counter()
    for group in groups:
        if group.outcome is not None:
            outcomes[group.outcome] += group.completed
    people = sorted({(group.full_name, group.user_id) for group in groups})
    types = sorted({group.follow_up_type for group in groups})
    totals = asdict(_add_up(groups))
    return {
        "total_follow_ups": totals["total"],
        **{name: value for name, value in totals.items() if name != "total"},
        "outcomes": dict(sorted(outcomes.items())),
        "by_user": [
            {"user_id": pk, "full_name": name, **asdict(_add_up(group for group in groups if group.user_id == pk))}
            for name, pk in people
        ],
        "by_type": [
            {"follow_up_type": kind, **asdict(_add_up(group for group in groups if group.follow_up_type == kind))}
            for kind in types
        ],
    }


def compute_follow_up_table(
    user: User, period: Period | None = None, scope: Scope = COMPANY, *, by: str = "person"
) -> ReportTable[FollowUpRow]:
    """Compute the same numbers as a table by `person`, `type` or `outcome`.

    A scope leaves only the follow-ups that are assigned to its people. Pending and canceled follow-ups have no outcome.
    """
    follow_ups = _select_follow_ups(user, None).filter(scope.matches("assigned_to"))
    groups = _count_follow_ups(follow_ups, period or Period())
    find_row = _KEY_AND_NAME[by]
    names = sorted({find_row(group) for group in groups}, key=lambda row: (row[0] is None, row[1], row[0]))
    rows = [
        FollowUpRow(key, name, **asdict(_add_up(group for group in groups if find_row(group) == (key, name))))
        for key, name in names
    ]
    return ReportTable(rows, FollowUpRow(None, "total", **asdict(_add_up(groups))))


def _count_follow_ups(follow_ups: "QuerySet[FollowUp]", period: Period) -> list[_Group]:
    rows = follow_ups.filter(period.contains_date("scheduled_date")).order_by()
    counts = rows.values("assigned_to", "assigned_to__full_name", "follow_up_type", "outcome").annotate(
        total=Count("pk", filter=Q(cancelled_at__isnull=True)),
        completed_count=Count("pk", filter=Q(completed=True)),
        overdue=Count("pk", filter=Q(completed=False, cancelled_at__isnull=True) & is_before_today()),
        cancelled=Count("pk", filter=Q(cancelled_at__isnull=False)),
        on_time=Count("pk", filter=Q(completed=True) & _is_on_time(rows)),
    )
    columns = ("assigned_to", "assigned_to__full_name", "follow_up_type", "outcome")
    numbers = ("total", "completed_count", "overdue", "cancelled", "on_time")
    return [_Group(*group) for group in counts.values_list(*columns, *numbers)]


def _select_follow_ups(user: User, user_id: int | None) -> "QuerySet[FollowUp]":
    """The follow-ups of the people whose numbers `user` may read, or of one of them."""
    people = User.objects.filter(policy.get_scope_filter(user))
    if user_id is None:
        return FollowUp.objects.filter(assigned_to__in=people.order_by().values("pk"))
    if not User.objects.filter(pk=user_id).exists():
        raise errors.NotFound("There is no such user.")
    if not people.filter(pk=user_id).exists():
        raise errors.NotAllowed("You may not read this person's numbers.")
    return FollowUp.objects.filter(assigned_to=user_id)


def _is_on_time(follow_ups: "QuerySet[FollowUp]") -> Q:
    """Completed on or before the first scheduled date, on the assignee's calendar."""
    span = follow_ups.filter(completed=True).aggregate(first=Min("completed_at"), last=Max("completed_at"))
    if span["first"] is None:
        return Q(pk__in=())
    days = []
    for name in User.objects.order_by().values_list("time_zone", flat=True).distinct():
        for until, offset in time_zones.list_offsets(time_zones.find_zone(name), span["first"], span["last"]):
            local_day = TruncDate("completed_at", tzinfo=offset)
            days.append(When(assigned_to__time_zone=name, completed_at__lt=until, then=local_day))
    day = Case(*days, output_field=DateField())
    return Q(LessThanOrEqual(day, Coalesce(F("first_scheduled_date"), F("scheduled_date"))))


def _add_up(groups: Iterable[_Group]) -> FollowUpCounts:
    total = completed = overdue = cancelled = on_time = 0
    for group in groups:
        total += group.total
        completed += group.completed
        overdue += group.overdue
        cancelled += group.cancelled
        on_time += group.on_time
    return FollowUpCounts(
        total=total,
        completed=completed,
        pending=total - completed,
        overdue=overdue,
        cancelled=cancelled,
        completion_rate=compute_percentage(completed, total) or 0.0,
        on_time_rate=compute_percentage(on_time, completed) or 0.0,
    )
