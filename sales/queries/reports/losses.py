"""The report "Lost leads": why leads are lost, where they came from, and what they were worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Case, CharField, Count, F, Q, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from athena.accounts.models import User
from athena.db.aggregates import Hours, Percentile
from sales.models import Lead
from sales.queries.reports.period import Period
from sales.queries.reports.rounding import compute_percentage, round_number, round_to_cents
from sales.queries.reports.scope import COMPANY, Scope
from sales.queries.reports.table import ReportRow, ReportTable

_VALUE = Coalesce("quote_amount", "estimated_value")
_UNKNOWN = "unknown"
# The names of bands are stored nowhere, but they are part of the API's answer.
_UPPER_LIMITS = {"under 1,000": 1_000, "1,000 to 2,499": 2_500, "2,500 to 4,999": 5_000, "5,000 to 9,999": 10_000}
_HIGHEST_BAND = "10,000 and more"
_BAND_ORDER = [*_UPPER_LIMITS, _HIGHEST_BAND, _UNKNOWN]
_BAND = Case(
    *(When(value_at_loss__lt=limit, then=Value(name)) for name, limit in _UPPER_LIMITS.items()),
    When(value_at_loss__isnull=False, then=Value(_HIGHEST_BAND)),
    default=None,
    output_field=CharField(),
)
_KEY_AND_NAME: dict[str, tuple[Combinable, Combinable]] = {
    "reason": (F("lost_reason"), F("lost_reason__label")),
    "source": (F("source"), F("source__name")),
    "value": (_BAND, _BAND),
}


@dataclass(frozen=True)
class LossRow(ReportRow):
    """`share` is the percentage of all losses; `quoted` counts the leads that had a quote.

    `value` adds up the quotes, or the estimated values of leads without a quote; `unvalued` counts the leads that have
    neither. `median_days_to_loss` runs from the lead's arrival until it was closed.
    """

    lost: int
    share: float | None
    quoted: int
    value: Decimal
    unvalued: int
    median_days_to_loss: float | None


def compute_losses(
    user: User, period: Period | None = None, scope: Scope = COMPANY, *, by: str = "reason"
) -> ReportTable[LossRow]:
    """Compute the report on the leads that `user` may read and that were lost in the period and not reopened since.

    `by` is `reason`, `source` or `value` (bands of values, lowest first). A scope leaves only the leads that its
    people own now. Two queries.
    """
    leads = Lead.objects.visible_to(user).filter(
        (period or Period()).contains_datetime("closed_at"), scope.matches("assigned_to"), status=Lead.Status.LOST
    )
    leads = leads.order_by().annotate(value_at_loss=_VALUE)
    aggregates: dict[str, Aggregate] = {
        "lost": Count("pk"),
        "quoted": Count("pk", filter=Q(quoted_at__isnull=False)),
        "value": Sum("value_at_loss"),
        "unvalued": Count("pk", filter=Q(value_at_loss__isnull=True)),
        "median_days": Percentile(Hours("created_at", "closed_at") / 24.0),
    }
    totals = leads.aggregate(**aggregates)
    key, name = _KEY_AND_NAME[by]
    groups = leads.values(group_key=key, group_name=name).annotate(**aggregates)
    rows = [_build_row(group["group_key"], group["group_name"] or _UNKNOWN, group, totals["lost"]) for group in groups]
    if by == "value":
        rows.sort(key=lambda row: _BAND_ORDER.index(row.name))
    else:
        rows.sort(key=lambda row: (row.key is None, -row.lost, row.name))
    return ReportTable(rows, _build_row(None, "total", totals, totals["lost"]))


def _build_row(key: int | str | None, name: str, group: Mapping[str, Any], total: int) -> LossRow:
    return LossRow(
        key=key,
        name=name,
        lost=group["lost"],
        share=compute_percentage(group["lost"], total),
        quoted=group["quoted"],
        value=round_to_cents(group["value"] or Decimal()),
        unvalued=group["unvalued"],
        median_days_to_loss=round_number(group["median_days"]),
    )
