"""The report "Source ROI": what each source, channel or campaign brings, and whether it earns what it costs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.db.models import Case, Count, DateField, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from athena.accounts.models import User
from athena.db import NameKey
from athena.db.aggregates import Hours, Percentile
from sales import normalization
from sales.models import Lead, LeadSource, SourceSpend
from sales.queries.reports.period import Period
from sales.queries.reports.rounding import compute_percentage, round_number, round_to_cents
from sales.queries.reports.scope import COMPANY, Scope
from sales.queries.reports.table import ReportRow, ReportTable

UNKNOWN, UNALLOCATED = "unknown", "unallocated"
QUALIFIED = Q(qualified_at__isnull=False) | Q(status__in=("qualified", "quoted", "won"))
QUOTED = Q(quoted_at__isnull=False) | Q(status__in=("quoted", "won"))
WON = Q(won_at__isnull=False) | Q(status="won")
BOOKED_AT = Coalesce("won_at", "closed_at")  # for `WON` leads; plain SQL may have left `won_at` out
_COHORT_FIELDS = {"created": "created_at", "trip": "pickup_at"}
_GROUP_KEYS = {"source": F("source"), "channel": F("source__channel"), "campaign": NameKey("campaign")}


@dataclass(frozen=True)
class SourceRoiRow(ReportRow):
    """`spend` and the three numbers that depend on it are None for a narrow scope."""

    leads: int
    qualified: int
    quoted: int
    won: int
    qualified_rate: float | None
    quoted_rate: float | None
    won_rate: float | None
    booked_revenue: Decimal
    spend: Decimal | None
    cost_per_lead: Decimal | None
    cost_per_booking: Decimal | None
    roi: float | None
    median_days_to_booking: float | None

    def without_spend(self) -> "SourceRoiRow":
        return replace(self, spend=None, cost_per_lead=None, cost_per_booking=None, roi=None)


@dataclass
class _Sums:
    """What one row adds up. Every rate and every cost is computed from these sums."""

    key: int | str | None
    name: str
    leads: int = 0
    qualified: int = 0
    quoted: int = 0
    won: int = 0
    revenue: Decimal = field(default_factory=Decimal)
    spend: Decimal = field(default_factory=Decimal)
    median_days: float | None = None

    def add(self, other: "_Sums") -> None:
        self.leads += other.leads
        self.qualified += other.qualified
        self.quoted += other.quoted
        self.won += other.won
        self.revenue += other.revenue
        self.spend += other.spend

    def build_row(self) -> SourceRoiRow:
        roi = (self.revenue - self.spend) / self.spend if self.spend else None
        return SourceRoiRow(
            key=self.key,
            name=self.name,
            leads=self.leads,
            qualified=self.qualified,
            quoted=self.quoted,
            won=self.won,
            qualified_rate=compute_percentage(self.qualified, self.leads),
            quoted_rate=compute_percentage(self.quoted, self.leads),
            won_rate=compute_percentage(self.won, self.leads),
            booked_revenue=self.revenue,
            spend=self.spend,
            cost_per_lead=round_to_cents(self.spend / self.leads) if self.leads else None,
            cost_per_booking=round_to_cents(self.spend / self.won) if self.won else None,
            roi=round_number(roi, 4),
            median_days_to_booking=round_number(self.median_days),
        )


_Part = tuple[LeadSource | None, str, _Sums]  # a source, a campaign, and what they add to a row


def compute_source_roi(
    user: User,
    period: Period | None = None,
    scope: Scope = COMPANY,
    *,
    by: str = "source",
    cohort: str = "created",
) -> ReportTable[SourceRoiRow]:
    """Compute the report on the leads that `user` may read, by `source`, `channel` or `campaign`.

    `cohort` says which date of a lead must be in the period: `created` (it came in) or `trip` (its pickup).

    - `leads` counts all leads but archived ones and merged duplicates. `qualified`, `quoted` and `won` count those
      that ever reached that status, whatever became of them; the rates are percentages of `leads`.
    - `booked_revenue` adds up the booked values of the leads that are won now.
    - `spend` is the monthly spend (a month that is only partly in the period counts by days, in whole cents), plus for
      each lead its price or the commission on its booking, by the source's cost model. Monthly spend is the company's,
      whoever reads the report. A narrow scope leaves only the leads that its people own now; `spend` and everything
      computed from it are then None, because nobody knows which part of the spend brought these leads.
    - `cost_per_lead` = spend / leads, `cost_per_booking` = spend / won (the "customer acquisition cost") and
      `roi` = (booked_revenue - spend) / spend, which is None without spend. Farris, Bendle, Pfeifer and Reibstein,
      "Marketing Metrics" (3rd edition, 2015), chapters 5 and 10. Revenue stands for the return: it ignores margins.
    - `median_days_to_booking` runs from the lead's arrival until its first booking.

    Each lead and each unit of spend is in exactly one row, so the rows add up to the totals. Leads and spend are
    therefore counted separately; a join would count a month's spend once for each lead. Leads without a source (by
    campaign: without a campaign) are in the row `unknown`; by campaign, spend without a campaign is `unallocated`.
    Campaigns with the same `name_key` are one, in the spelling that most leads have. A fixed number of queries.
    """
    period = period or Period()
    in_period = period.contains_datetime(_COHORT_FIELDS[cohort])
    leads = Lead.objects.visible_to(user).filter(in_period, scope.matches("assigned_to")).order_by()
    sums = _add_up(leads, None if scope.is_narrow else period, by)
    totals = _Sums(None, "total")
    for row in sums:
        totals.add(row)
    _fill_medians(sums, totals, leads, by)
    table = ReportTable([row.build_row() for row in sums], totals.build_row())
    if scope.is_narrow:
        return ReportTable([row.without_spend() for row in table.rows], table.totals.without_spend())
    return table


def compute_top_sources(user: User, period: Period, limit: int) -> list[SourceRoiRow]:
    """The first `limit` rows of the report by source, without the median days to booking. Three queries."""
    in_period = period.contains_datetime(_COHORT_FIELDS["created"])
    leads = Lead.objects.visible_to(user).filter(in_period).order_by()
    return [row.build_row() for row in _add_up(leads, period, "source")[:limit]]


def _fill_medians(rows: list[_Sums], totals: _Sums, leads: "QuerySet[Lead]", by: str) -> None:
    """Set the median days to booking of each row and of the totals. Two queries."""
    won = leads.filter(WON)
    days = Percentile(Hours("created_at", BOOKED_AT) / 24.0)
    groups = won.values(group_key=_GROUP_KEYS[by]).annotate(median=days)
    medians = {group["group_key"] or None: group["median"] for group in groups}
    for row in rows:
        key = normalization.name_key(row.name) if by == "campaign" and row.key is not None else row.key
        row.median_days = medians.get(key) if row.leads else None
    totals.median_days = won.aggregate(median=days)["median"]


def _add_up(leads: "QuerySet[Lead]", spend_period: Period | None, by: str) -> list[_Sums]:
    """The sums of each row, without medians; the highest revenue first and the unknown last.

    Without `spend_period`, only the costs of single leads and bookings count as spend.
    """
    sources = {source.pk: source for source in LeadSource.objects.all()}
    parts = [*_count_leads(leads, sources), *(_read_spend(spend_period, sources) if spend_period else ())]
    spellings = _find_common_spellings(parts)
    rows: dict[tuple[int | str | None, str], _Sums] = {}
    for source, campaign, part in parts:
        spelling = spellings[normalization.name_key(campaign)]
        key, name = _find_key_and_name(by, source, spelling, is_spend=not part.leads)
        rows.setdefault((key, name), _Sums(key, name)).add(part)
    return sorted(rows.values(), key=lambda row: (row.key is None, -row.revenue, -row.spend, row.name))


def _find_common_spellings(parts: Iterable[_Part]) -> dict[str, str]:
    """How most leads spell each campaign, by its `name_key`; of equally common spellings the first in the alphabet."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, campaign, part in parts:
        counts[normalization.name_key(campaign)][normalization.collapse_spaces(campaign)] += part.leads
    return {key: min(count, key=lambda spelling: (-count[spelling], spelling)) for key, count in counts.items()}


def _count_leads(leads: "QuerySet[Lead]", sources: dict[int, LeadSource]) -> Iterator[_Part]:
    """The leads of each source and campaign, with their prices or commissions."""
    groups = leads.values_list("source", "campaign").annotate(
        leads=Count("pk"),
        qualified=Count("pk", filter=QUALIFIED | WON),
        quoted=Count("pk", filter=QUOTED | WON),
        won=Count("pk", filter=WON),
        revenue=Sum("booked_value", filter=Q(status=Lead.Status.WON)),
    )
    for source_id, campaign, count, qualified, quoted, won, booked in groups:
        source, revenue = sources.get(source_id), round_to_cents(booked or Decimal())
        spend = _compute_lead_costs(source, count, revenue)
        yield source, campaign, _Sums(None, "", count, qualified, quoted, won, revenue, spend)


def _compute_lead_costs(source: LeadSource | None, leads: int, revenue: Decimal) -> Decimal:
    """What the source charges for these leads: a price for each, or a commission (percent) on what they booked."""
    price = (source and source.unit_cost) or Decimal()
    match source and source.cost_model:
        case LeadSource.CostModel.PER_LEAD:
            return round_to_cents(price * leads)
        case LeadSource.CostModel.COMMISSION:
            return round_to_cents(revenue * price / 100)
    return Decimal()


def _read_spend(period: Period, sources: dict[int, LeadSource]) -> Iterator[_Part]:
    """The monthly spend of each source and campaign: full months added up, each partial month by itself."""
    partial_month = Case(When(month__in=period.partial_months, then=F("month")), default=None, output_field=DateField())
    spend = SourceSpend.objects.filter(period.overlaps_month("month")).order_by()
    groups = spend.values_list("source", "campaign", partial_month).annotate(Sum("amount"))
    for source_id, campaign, month, amount in groups:
        in_period = round_to_cents(amount) if month is None else period.prorate(month, amount)
        yield sources[source_id], campaign, _Sums(None, "", spend=in_period)


def _find_key_and_name(
    by: str, source: LeadSource | None, campaign: str, *, is_spend: bool
) -> tuple[int | str | None, str]:
    if by == "campaign":
        return (campaign, campaign) if campaign else (None, UNALLOCATED if is_spend else UNKNOWN)
    if source is None:
        return None, UNKNOWN
    return (source.channel, source.get_channel_display()) if by == "channel" else (source.pk, source.name)
