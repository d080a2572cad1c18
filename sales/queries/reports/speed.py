"""The report "Sales speed": how soon leads are contacted, quoted and booked, and how many still wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Case, Count, Expression, F, FloatField, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.lookups import GreaterThan

from athena.accounts.models import User
from athena.db.aggregates import Hours, Percentile
from sales.models import Lead
from sales.models.leads.lead import IS_OPEN, LeadQuerySet
from sales.queries.reports.period import Period
from sales.queries.reports.rounding import round_number
from sales.queries.reports.scope import COMPANY, Scope
from sales.queries.reports.source_roi import BOOKED_AT, WON
from sales.queries.reports.table import ReportRow, ReportTable

HOURS_PER_DAY = 24
_KEY_AND_NAME = {"person": ("assigned_to", "assigned_to__full_name"), "source": ("source", "source__name")}
_NAME_WITHOUT_KEY = {"person": "nobody", "source": "unknown"}
_CONTACTED, _QUOTED = Q(first_contacted_at__isnull=False), Q(quoted_at__isnull=False)


@dataclass(frozen=True)
class StageInHours:
    """How many leads `reached` a stage, how many open leads still wait for it, and how many hours it took."""

    reached: int
    waiting: int
    median_hours: float | None
    p90_hours: float | None


@dataclass(frozen=True)
class StageInDays:
    """The same as `StageInHours`, in days."""

    reached: int
    waiting: int
    median_days: float | None
    p90_days: float | None


@dataclass(frozen=True)
class SpeedRow(ReportRow):
    leads: int
    first_contact: StageInHours
    quote: StageInDays
    booking: StageInDays


def compute_speed(
    user: User, period: Period | None = None, scope: Scope = COMPANY, *, by: str = "person"
) -> ReportTable[SpeedRow]:
    """Compute the report on the leads that `user` may read and that came in during the period.

    `by` is `person` (the current owner) or `source`; a scope leaves only the leads that its people own now. For each
    stage the row has the median and the 90th percentile of the time from the lead's arrival until then. A stage that
    was logged for a time before the arrival took no time. Two queries.
    """
    leads = _select_leads(user, period).filter(scope.matches("assigned_to"))
    aggregates = _build_aggregates()
    key, name = _KEY_AND_NAME[by]
    groups = leads.values(group_key=F(key), group_name=F(name)).annotate(**aggregates)
    rows = [_build_row(group["group_key"], group["group_name"] or _NAME_WITHOUT_KEY[by], group) for group in groups]
    rows.sort(key=lambda row: (row.key is None, -row.leads, row.name))
    return ReportTable(rows, _build_row(None, "total", leads.aggregate(**aggregates)))


def compute_first_contact_hours(user: User, period: Period | None = None) -> float | None:
    """The median hours to the first contact, over all leads of the report. One query."""
    median = Percentile(_hours_until(_CONTACTED, F("first_contacted_at")))
    return round_number(_select_leads(user, period).aggregate(median=median)["median"])


def _select_leads(user: User, period: Period | None) -> LeadQuerySet:
    return Lead.objects.visible_to(user).filter((period or Period()).contains_datetime("created_at")).order_by()


def _build_aggregates() -> dict[str, Aggregate]:
    return {
        "leads": Count("pk"),
        **_aggregate_stage("first_contact", _CONTACTED, F("first_contacted_at")),
        **_aggregate_stage("quote", _QUOTED, F("quoted_at")),
        **_aggregate_stage("booking", WON, BOOKED_AT),
    }


def _aggregate_stage(stage: str, is_reached: Q, reached_at: Combinable) -> dict[str, Aggregate]:
    hours = _hours_until(is_reached, reached_at)
    return {
        f"{stage}_reached": Count("pk", filter=is_reached),
        f"{stage}_waiting": Count("pk", filter=IS_OPEN & ~is_reached),
        f"{stage}_median": Percentile(hours),
        f"{stage}_p90": Percentile(hours, 0.9),
    }


def _hours_until(is_reached: Q, reached_at: Combinable) -> Expression:
    """The hours from a lead's arrival until `reached_at`; NULL if the stage was not reached."""
    hours = Hours("created_at", reached_at)
    return Case(
        When(is_reached, then=Case(When(GreaterThan(hours, 0.0), then=hours), default=Value(0.0))),
        default=None,
        output_field=FloatField(),
    )


def _build_row(key: int | None, name: str, group: Mapping[str, Any]) -> SpeedRow:
    return SpeedRow(
        key=key,
        name=name,
        leads=group["leads"],
        first_contact=StageInHours(
            group["first_contact_reached"],
            group["first_contact_waiting"],
            round_number(group["first_contact_median"]),
            round_number(group["first_contact_p90"]),
        ),
        quote=_build_stage_in_days("quote", group),
        booking=_build_stage_in_days("booking", group),
    )


def _build_stage_in_days(stage: str, group: Mapping[str, Any]) -> StageInDays:
    median, p90 = group[f"{stage}_median"], group[f"{stage}_p90"]
    return StageInDays(
        group[f"{stage}_reached"],
        group[f"{stage}_waiting"],
        None if median is None else round_number(median / HOURS_PER_DAY),
        None if p90 is None else round_number(p90 / HOURS_PER_DAY),
    )
