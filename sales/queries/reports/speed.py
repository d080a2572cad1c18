"""How soon leads are contacted, quoted and booked, and how many still wait."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Case, Count, Expression, F, FloatField, Q, Value, When
from django.db.models.lookups import GreaterThan

from athena.accounts.models import User
from athena.db.aggregates import Hours, Percentile
from sales.models import Lead
from sales.models.lead import IS_OPEN, LeadQuerySet
from sales.queries.reports.period import Period, rounded
from sales.queries.reports.scope import EVERYBODY, Whose
from sales.queries.reports.source_roi import BOOKED_AT, WON

BY = {"person": ("assigned_to", "assigned_to__full_name"), "source": ("source", "source__name")}
NOBODY = {"person": "nobody", "source": "unknown"}
# Of each stage: whether it was reached and when, in what it is counted, and how many hours that is.
STAGES: dict[str, tuple[Q, Any, str, float]] = {
    "first_contact": (Q(first_contacted_at__isnull=False), F("first_contacted_at"), "hours", 1),
    "quote": (Q(quoted_at__isnull=False), F("quoted_at"), "days", 24),
    "booking": (WON, BOOKED_AT, "days", 24),
}


def speed(user: User, period: Period | None = None, *, by: str = "person", whose: Whose = EVERYBODY) -> dict[str, Any]:
    """`{rows, totals}` of the leads that `user` may read and that were taken in in the period, by owner or source;
    with `whose`, of those that they own now.

    For each stage: how many `reached` it, the `median` and the ninth decile (`p90`) of the time from taking the lead in
    until then, in hours (first contact) or days, and how many open leads are still `waiting` for it. What was logged
    for a time before the lead was taken in took no time. Two queries.
    """
    leads, asked = _leads(user, period).filter(whose.of("assigned_to")), _asked()
    key, label = BY[by]
    grouped = leads.values(key=F(key), name=F(label)).annotate(**asked)
    rows = [_row(found["key"], found["name"] or NOBODY[by], found) for found in grouped]
    rows.sort(key=lambda row: (row["key"] is None, -row["leads"], row["name"]))
    return {"rows": rows, "totals": _row(None, "total", leads.aggregate(**asked))}


def first_contact_hours(user: User, period: Period | None = None) -> float | None:
    """The median of the totals of `speed`, alone."""
    median = _leads(user, period).aggregate(median=Percentile(_hours_until(*STAGES["first_contact"][:2])))["median"]
    return None if median is None else rounded(median)


def _leads(user: User, period: Period | None) -> LeadQuerySet:
    return Lead.objects.visible_to(user).filter((period or Period()).of("created_at")).order_by()


def _asked() -> dict[str, Any]:
    asked: dict[str, Any] = {"leads": Count("pk")}
    for name, (reached, at, _, _) in STAGES.items():
        hours = _hours_until(reached, at)
        asked |= {
            f"{name}_reached": Count("pk", filter=reached),
            f"{name}_waiting": Count("pk", filter=IS_OPEN & ~reached),
            f"{name}_median": Percentile(hours),
            f"{name}_p90": Percentile(hours, 0.9),
        }
    return asked


def _hours_until(reached: Q, at: Any) -> Expression:
    """From taking the lead in until `at`; nothing where it was not reached."""
    hours = Hours("created_at", at)
    return Case(
        When(reached, then=Case(When(GreaterThan(hours, 0.0), then=hours), default=Value(0.0))),
        default=None,
        output_field=FloatField(),
    )


def _row(key: Any, name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key, "name": name, "leads": found["leads"]}
    for stage, (_, _, unit, hours) in STAGES.items():
        median, p90 = found[f"{stage}_median"], found[f"{stage}_p90"]
        row[stage] = {
            "reached": found[f"{stage}_reached"],
            "waiting": found[f"{stage}_waiting"],
            f"median_{unit}": None if median is None else rounded(median / hours),
            f"p90_{unit}": None if p90 is None else rounded(p90 / hours),
        }
    return row
