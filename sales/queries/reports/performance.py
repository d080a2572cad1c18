"""How follow-ups went: one aggregate in the database, folded into totals by person, by type and by outcome."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db.models import Case, Count, DateField, F, Max, Min, Q, QuerySet, When
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import LessThanOrEqual

from athena import time_zones
from athena.accounts.models import User
from sales import errors, policy
from sales.models import FollowUp
from sales.models.follow_up import is_before_today
from sales.queries.reports.period import Period
from sales.queries.reports.scope import EVERYBODY, Whose

_COUNTS = ("total", "completed", "overdue", "cancelled", "on_time")
_KINDS, _OUTCOMES = dict(FollowUp.Type.choices), dict(FollowUp.Outcome.choices)
# By what a table is made: the key and the name of the line that a row of counts belongs to.
BY: dict[str, Callable[[tuple[Any, ...]], tuple[Any, str]]] = {
    "person": lambda row: (row[0], row[1]),
    "type": lambda row: (row[2], _KINDS.get(row[2], row[2])),
    "outcome": lambda row: (row[3], _OUTCOMES.get(row[3], row[3]) if row[3] else "no outcome"),
}


def follow_up_performance(
    user: User, *, user_id: int | None = None, start_date: date | None = None, end_date: date | None = None
) -> dict[str, Any]:
    """The follow-ups scheduled from `start_date` to `end_date` (both included) of the people `user` may read.

    Cancelled ones count as `cancelled` alone. `pending` = total − completed; `completion_rate` is the per cent of all
    that are completed; `on_time_rate` the per cent of the completed ones that were completed on or before their first
    scheduled date, on the assignee's calendar. Rates have two decimals. Raises `NotFound` and `NotAllowed` for a
    `user_id` that is nobody's or out of scope.
    """
    rows = _counts(_readable(user, user_id), Period(start_date, end_date))
    whole = _fold(row[4:] for row in rows)
    outcomes: Counter[str] = Counter()
    for row in rows:
        if row[3] is not None:
            outcomes[row[3]] += row[5]
    return {
        "total_follow_ups": whole.pop("total"),
        **whole,
        "outcomes": dict(sorted(outcomes.items())),
        "by_user": [
            {"user_id": person, "full_name": name, **_fold(row[4:] for row in rows if row[0] == person)}
            for name, person in sorted({(row[1], row[0]) for row in rows})
        ],
        "by_type": [
            {"follow_up_type": kind, **_fold(row[4:] for row in rows if row[2] == kind)}
            for kind in sorted({row[2] for row in rows})
        ],
    }


def performance_table(
    user: User, period: Period | None = None, *, by: str = "person", whose: Whose = EVERYBODY
) -> dict[str, Any]:
    """The same figures as `{rows, totals}`, by person, type or outcome; with `whose`, of those assigned to them.

    By outcome, those that are pending or cancelled have none.
    """
    rows = _counts(_readable(user, None).filter(whose.of("assigned_to")), period or Period())
    line_of = BY[by]
    lines = {line_of(row) for row in rows}
    return {
        "rows": [
            {"key": key, "name": name, **_fold(row[4:] for row in rows if line_of(row) == (key, name))}
            for key, name in sorted(lines, key=lambda line: (line[0] is None, line[1], line[0]))
        ],
        "totals": {"key": None, "name": "total", **_fold(row[4:] for row in rows)},
    }


def _counts(follow_ups: "QuerySet[FollowUp]", period: Period) -> list[tuple[Any, ...]]:
    """For each assignee (key, name), type and outcome: how many of each of `_COUNTS`."""
    rows = follow_ups.filter(period.of_days("scheduled_date")).order_by()
    return list(
        rows
        .values("assigned_to", "assigned_to__full_name", "follow_up_type", "outcome")
        .annotate(
            total=Count("pk", filter=Q(cancelled_at__isnull=True)),
            completed_count=Count("pk", filter=Q(completed=True)),
            overdue=Count("pk", filter=Q(completed=False, cancelled_at__isnull=True) & is_before_today()),
            cancelled=Count("pk", filter=Q(cancelled_at__isnull=False)),
            on_time=Count("pk", filter=Q(completed=True) & _on_time(rows)),
        )
        .values_list(
            "assigned_to", "assigned_to__full_name", "follow_up_type", "outcome",
            "total", "completed_count", "overdue", "cancelled", "on_time",
        )
    )  # fmt: skip


def _readable(user: User, user_id: int | None) -> "QuerySet[FollowUp]":
    people = User.objects.filter(policy.get_scope_filter(user))
    if user_id is None:
        return FollowUp.objects.filter(assigned_to__in=people.order_by().values("pk"))
    if not User.objects.filter(pk=user_id).exists():
        raise errors.NotFound("There is no such user.")
    if not people.filter(pk=user_id).exists():
        raise errors.NotAllowed("You may not read this person's figures.")
    return FollowUp.objects.filter(assigned_to=user_id)


def _on_time(follow_ups: "QuerySet[FollowUp]") -> Q:
    """Completed on or before the first scheduled date, on the calendar of whoever it was assigned to."""
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


def _fold(counts: Iterable[tuple[int, ...]]) -> dict[str, Any]:
    sums = dict.fromkeys(_COUNTS, 0)
    for row in counts:
        for name, count in zip(_COUNTS, row, strict=True):
            sums[name] += count
    total, completed = sums["total"], sums["completed"]
    return {
        "total": total,
        "completed": completed,
        "pending": total - completed,
        "overdue": sums["overdue"],
        "cancelled": sums["cancelled"],
        "completion_rate": _per_cent(completed, total),
        "on_time_rate": _per_cent(sums["on_time"], completed),
    }


def _per_cent(part: int, whole: int) -> float:
    return round(part / whole * 100, 2) if whole else 0.0
