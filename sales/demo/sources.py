"""The lead sources of the demo, and what they cost."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from random import Random

from sales.models import IntakeForm, LeadSource, SourceSpend

Channel, CostModel = LeadSource.Channel, LeadSource.CostModel


@dataclass(frozen=True)
class Campaign:
    name: str
    monthly: int
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    id: int
    name: str
    channel: LeadSource.Channel
    weight: int  # percentage of new clients
    cost_model: LeadSource.CostModel = CostModel.NONE
    unit_cost: int | None = None
    campaigns: tuple[Campaign, ...] = ()  # the first one suits everybody
    utm: tuple[str, str] | None = None  # source and medium
    months: tuple[int, ...] = tuple(range(1, 13))  # in which there is spend
    is_active: bool = True


SOURCES = (
    Source(1, "Website quote form", Channel.WEB_FORM, 18),
    Source(2, "Phone call", Channel.PHONE, 14),
    Source(
        3,
        "Google Ads",
        Channel.ADS,
        17,
        CostModel.MONTHLY,
        campaigns=(
            Campaign("brand", 250, ("charter bus company",)),
            Campaign("school trips", 620, ("school bus rental", "band trip bus", "field trip coach")),
            Campaign("weddings", 480, ("wedding shuttle", "guest shuttle bus")),
        ),
        utm=("google", "cpc"),
    ),
    Source(
        4,
        "Facebook Ads",
        Channel.ADS,
        9,
        CostModel.MONTHLY,
        campaigns=(Campaign("group outings", 190), Campaign("church groups", 160), Campaign("family reunions", 140)),
        utm=("facebook", "paid_social"),
    ),
    Source(5, "Charter directory", Channel.DIRECTORY, 9, CostModel.PER_LEAD, 22, utm=("charterdirectory", "referral")),
    Source(6, "Broker marketplace", Channel.DIRECTORY, 7, CostModel.COMMISSION, 10),
    Source(7, "Partner operators", Channel.PARTNER, 6, CostModel.COMMISSION, 8),
    Source(8, "Referral", Channel.REFERRAL, 8),
    Source(9, "Repeat client", Channel.REPEAT, 0),
    Source(10, "Group travel show", Channel.TRADE_SHOW, 6, CostModel.MONTHLY, months=(1, 9)),
    Source(11, "School and city bids", Channel.BID, 6),
    Source(12, "Yellow Pages", Channel.DIRECTORY, 0, is_active=False),
)
BY_ID = {source.id: source for source in SOURCES}
REPEAT = BY_ID[9]
FORM_KEY = "demo"
_SPEND_WITHOUT_CAMPAIGN = {10: 3200}  # in a month, by source
_NEW_CLIENTS = [source for source in SOURCES if source.weight]
_WEIGHTS = [source.weight for source in _NEW_CLIENTS]


def pick_source(rng: Random, campaign_name: str) -> tuple[Source, Campaign | None]:
    """Pick the source of a new client, and its campaign of this name if it has one."""
    source = rng.choices(_NEW_CLIENTS, _WEIGHTS)[0]
    matches = [campaign for campaign in source.campaigns if campaign.name == campaign_name]
    return source, next(iter(matches or source.campaigns), None)


def create_sources(rng: Random, *, first: date, last: date, since: datetime) -> None:
    """Create the sources, the web site's intake form, and the spend of each month from `first` to `last`."""
    LeadSource.objects.bulk_create(
        LeadSource(
            id=source.id,
            name=source.name,
            channel=source.channel,
            cost_model=source.cost_model,
            unit_cost=source.unit_cost,
            is_active=source.is_active,
            created_at=since,
        )
        for source in SOURCES
    )
    IntakeForm.objects.create(id=1, name="Web site", key=FORM_KEY, source_id=SOURCES[0].id, created_at=since)
    spend = [
        SourceSpend(source_id=source.id, campaign=campaign, month=month, amount=_vary(rng, amount), created_at=since)
        for month in _list_months(first, last)
        for source in SOURCES
        if source.cost_model == CostModel.MONTHLY and month.month in source.months
        for campaign, amount in _list_monthly_spend(source)
    ]
    for key, row in enumerate(spend, 1):
        row.id = key
    SourceSpend.objects.bulk_create(spend)


def _list_monthly_spend(source: Source) -> list[tuple[str, int]]:
    return [(campaign.name, campaign.monthly) for campaign in source.campaigns] or [
        ("", _SPEND_WITHOUT_CAMPAIGN[source.id])
    ]


def _list_months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count + 1)]


def _vary(rng: Random, amount: int) -> Decimal:
    return Decimal(round(amount * rng.uniform(0.85, 1.25) * 100)) / 100
