"""What each source, channel or campaign brings, what it costs, and whether it earns its money."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DateField, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from athena.accounts.models import User
from athena.db import NameKey
from athena.db.aggregates import Hours, Percentile
from sales import normalization
from sales.models import Lead, LeadSource, SourceSpend
from sales.queries.reports.period import Period, cents, per_cent, rounded
from sales.queries.reports.scope import EVERYBODY, Whose

BY = ("source", "channel", "campaign")
COHORTS = {"created": "created_at", "trip": "pickup_at"}
UNKNOWN, UNALLOCATED = "unknown", "unallocated"
COSTS = ("spend", "cost_per_lead", "cost_per_booking", "roi")  # what is known of the company alone
QUALIFIED = Q(qualified_at__isnull=False) | Q(status__in=("qualified", "quoted", "won"))
QUOTED = Q(quoted_at__isnull=False) | Q(status__in=("quoted", "won"))
WON = Q(won_at__isnull=False) | Q(status="won")
BOOKED_AT = Coalesce("won_at", "closed_at")  # of what is `WON`; plain SQL may have left out the former
_KEYS = {"source": F("source"), "channel": F("source__channel"), "campaign": NameKey("campaign")}


@dataclass
class Figures:
    """The sums of one row. Every rate and every cost is worked out from them."""

    key: int | str | None
    name: str
    leads: int = 0
    qualified: int = 0
    quoted: int = 0
    won: int = 0
    revenue: Decimal = field(default_factory=Decimal)
    spend: Decimal = field(default_factory=Decimal)
    median_days: float | None = None

    def add(self, other: "Figures") -> None:
        for name in ("leads", "qualified", "quoted", "won", "revenue", "spend"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def row(self) -> dict[str, Any]:
        roi = (self.revenue - self.spend) / self.spend if self.spend else None
        return {
            "key": self.key,
            "name": self.name,
            "leads": self.leads,
            "qualified": self.qualified,
            "quoted": self.quoted,
            "won": self.won,
            "qualified_rate": per_cent(self.qualified, self.leads),
            "quoted_rate": per_cent(self.quoted, self.leads),
            "won_rate": per_cent(self.won, self.leads),
            "booked_revenue": self.revenue,
            "spend": self.spend,
            "cost_per_lead": cents(self.spend / self.leads) if self.leads else None,
            "cost_per_booking": cents(self.spend / self.won) if self.won else None,
            "roi": rounded(roi, 4),
            "median_days_to_booking": rounded(self.median_days),
        }


Part = tuple[LeadSource | None, str, Figures]


def source_roi(
    user: User,
    period: Period | None = None,
    *,
    by: str = "source",
    cohort: str = "created",
    whose: Whose = EVERYBODY,
) -> dict[str, Any]:
    """`{rows, totals}` of the leads that `user` may read, taken in (`created`) or travelling (`trip`) in the period.

    - `leads`, and how many of them ever were `qualified`, `quoted` and `won`, whatever became of them; the rates are
      per cent of `leads`. An archived lead counts nowhere, nor does a duplicate that was merged into another.
    - `booked_revenue`: the booked values of those that are won now.
    - `spend`: the months' amounts (a month that the period cuts counts by its days, in whole cents), and for each lead
      the price of a lead or the commission on its booking, as the source's cost model says. Amounts by month are the
      company's, whoever asks. With `whose` the leads are those that they own now, and `spend` and all that is worked
      out from it are None: nobody knows which of it brought these leads.
    - `cost_per_lead` = spend / leads and `cost_per_booking` = spend / won (the "customer acquisition cost");
      `roi` = (booked_revenue - spend) / spend, None without spend. Farris, Bendle, Pfeifer and Reibstein, "Marketing
      Metrics" (3rd edition, 2015), chapters 5 and 10; revenue stands for the return, so that margins are not in it.
    - `median_days_to_booking`: from taking the lead in to its first booking.

    Each lead and each unit of spend is in exactly one row, so the rows add up to the totals: leads are counted by
    themselves and spend by itself, for a join of the two would count a month's spend once for each lead. A lead
    without a source (by campaign: without a campaign) is in the row `unknown`; by campaign, spend that was not given to
    one is `unallocated`. Campaigns with the same `name_key` are one, spelled as most leads spell it.
    A fixed number of queries.
    """
    period = period or Period()
    leads = Lead.objects.visible_to(user).filter(period.of(COHORTS[cohort]), whose.of("assigned_to")).order_by()
    rows = _rows(leads, None if whose.is_narrow else period, by)
    totals = Figures(None, "total")
    for row in rows:
        totals.add(row)
    won = leads.filter(WON)
    days = Percentile(Hours("created_at", BOOKED_AT) / 24.0)
    by_key = won.values(report_key=_KEYS[by]).annotate(median=days)
    medians = {row["report_key"] or None: row["median"] for row in by_key}
    for row in rows:
        key = normalization.name_key(row.name) if by == "campaign" and row.key is not None else row.key
        row.median_days = medians.get(key) if row.leads else None
    totals.median_days = won.aggregate(median=days)["median"]
    unknown = dict.fromkeys(COSTS) if whose.is_narrow else {}
    return {"rows": [row.row | unknown for row in rows], "totals": totals.row | unknown}


def in_brief(user: User, period: Period, most: int) -> list[dict[str, Any]]:
    """The first rows of `source_roi` by source, those that earn most, without the days until booking. Three queries."""
    leads = Lead.objects.visible_to(user).filter(period.of(COHORTS["created"])).order_by()
    return [row.row for row in _rows(leads, period, "source")[:most]]


def _rows(leads: "QuerySet[Lead]", spent: Period | None, by: str) -> list[Figures]:
    """What each brings, and costs with what was `spent` in a period; whoever earns most first, the unknown last."""
    sources = {source.pk: source for source in LeadSource.objects.all()}
    parts = [*_leads(leads, sources), *(_spend(spent, sources) if spent else ())]
    spellings = _common_spellings(parts)
    rows: dict[Any, Figures] = {}
    for source, campaign, part in parts:
        spelling = spellings[normalization.name_key(campaign)]
        key, name = _row_of(by, source, spelling, is_spend=not part.leads)
        rows.setdefault((key, name), Figures(key, name)).add(part)
    return sorted(rows.values(), key=lambda row: (row.key is None, -row.revenue, -row.spend, row.name))


def _common_spellings(parts: Iterable[Part]) -> dict[str, str]:
    """How most leads spell each campaign, by its `name_key`; of equally common spellings the first by letters."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, campaign, part in parts:
        counts[normalization.name_key(campaign)][normalization.collapse_spaces(campaign)] += part.leads
    return {key: min(count, key=lambda spelling: (-count[spelling], spelling)) for key, count in counts.items()}


def _leads(leads: "QuerySet[Lead]", sources: dict[int, LeadSource]) -> Iterator[Part]:
    """The leads of each source and campaign, with what they cost by the lead or by the booking."""
    counted = leads.values_list("source", "campaign").annotate(
        leads=Count("pk"),
        qualified=Count("pk", filter=QUALIFIED | WON),
        quoted=Count("pk", filter=QUOTED | WON),
        won=Count("pk", filter=WON),
        revenue=Sum("booked_value", filter=Q(status=Lead.Status.WON)),
    )
    for source_id, campaign, many, qualified, quoted, won, booked in counted:
        source, revenue = sources.get(source_id), cents(booked or Decimal())
        spend = _cost(source, many, revenue)
        yield source, campaign, Figures(None, "", many, qualified, quoted, won, revenue, spend)


def _cost(source: LeadSource | None, leads: int, revenue: Decimal) -> Decimal:
    """What these leads cost by themselves: their price, or a commission (per cent) on what they booked."""
    price = (source and source.unit_cost) or Decimal()
    match source and source.cost_model:
        case LeadSource.CostModel.PER_LEAD:
            return cents(price * leads)
        case LeadSource.CostModel.COMMISSION:
            return cents(revenue * price / 100)
    return Decimal()


def _spend(period: Period, sources: dict[int, LeadSource]) -> Iterable[Part]:
    """The spend of each source and campaign: whole months together, each month that the period cuts by itself."""
    cut = Case(When(month__in=period.cut_months, then=F("month")), default=None, output_field=DateField())
    spent = SourceSpend.objects.filter(period.of_months("month")).order_by()
    for source_id, campaign, month, amount in spent.values_list("source", "campaign", cut).annotate(Sum("amount")):
        part = cents(amount) if month is None else period.part(month, amount)
        yield sources[source_id], campaign, Figures(None, "", spend=part)


def _row_of(by: str, source: LeadSource | None, campaign: str, *, is_spend: bool) -> tuple[int | str | None, str]:
    if by == "campaign":
        return (campaign, campaign) if campaign else (None, UNALLOCATED if is_spend else UNKNOWN)
    if source is None:
        return None, UNKNOWN
    return (source.channel, source.get_channel_display()) if by == "channel" else (source.pk, source.name)
