"""Why leads are lost, where they came from, and what they were worth."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from athena.accounts.models import User
from athena.db.aggregates import Hours, Percentile
from sales.models import Lead
from sales.queries.reports.period import Period, cents, per_cent, rounded
from sales.queries.reports.scope import EVERYBODY, Whose

WORTH = Coalesce("quote_amount", "estimated_value")  # what was quoted, or else what was expected
BANDS = ((1_000, "under 1,000"), (2_500, "1,000 to 2,499"), (5_000, "2,500 to 4,999"), (10_000, "5,000 to 9,999"))
_MOST, _UNKNOWN = "10,000 and more", "unknown"
_BAND = Case(
    *(When(worth__lt=top, then=Value(name)) for top, name in BANDS),
    When(worth__isnull=False, then=Value(_MOST)),
    default=None,
    output_field=CharField(),
)
BY: dict[str, tuple[Any, Any]] = {
    "reason": (F("lost_reason"), F("lost_reason__label")),
    "source": (F("source"), F("source__name")),
    "value": (_BAND, _BAND),
}
_BAND_ORDER = [name for _, name in BANDS] + [_MOST, _UNKNOWN]


def losses(user: User, period: Period | None = None, *, by: str = "reason", whose: Whose = EVERYBODY) -> dict[str, Any]:
    """`{rows, totals}` of the leads that `user` may read and that were lost in the period (and not reopened since);
    with `whose`, of those that they own now.

    `share` is the per cent of all losses; `quoted` how many had a quote; `value` the sum of what was quoted, or else
    expected, and `unvalued` how many have neither; `median_days_to_loss` from taking in to closing. Two queries.
    """
    lost = Lead.objects.visible_to(user).filter((period or Period()).of("closed_at"), status=Lead.Status.LOST)
    lost = lost.filter(whose.of("assigned_to")).order_by().annotate(worth=WORTH)
    asked: dict[str, Any] = {
        "lost": Count("pk"),
        "quoted": Count("pk", filter=Q(quoted_at__isnull=False)),
        "value": Sum("worth"),
        "unvalued": Count("pk", filter=Q(worth__isnull=True)),
        "median": Percentile(Hours("created_at", "closed_at") / 24.0),
    }
    totals = lost.aggregate(**asked)
    key, label = BY[by]
    grouped = lost.values(key=key, name=label).annotate(**asked)
    rows = [_row(found["key"], found["name"] or _UNKNOWN, found, totals["lost"]) for found in grouped]
    if by == "value":
        rows.sort(key=lambda row: _BAND_ORDER.index(row["name"]))
    else:
        rows.sort(key=lambda row: (row["key"] is None, -row["lost"], row["name"]))
    return {"rows": rows, "totals": _row(None, "total", totals, totals["lost"])}


def _row(key: Any, name: str, found: Mapping[str, Any], of: int) -> dict[str, Any]:
    return {
        "key": key,
        "name": name,
        "lost": found["lost"],
        "share": per_cent(found["lost"], of),
        "quoted": found["quoted"],
        "value": cents(found["value"] or Decimal()),
        "unvalued": found["unvalued"],
        "median_days_to_loss": rounded(found["median"]),
    }
