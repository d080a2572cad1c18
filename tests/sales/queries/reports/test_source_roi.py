"""The report on sources against a naive computation over the demo, and against numbers that were computed by hand."""

from collections import defaultdict
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from athena.accounts.models import User
from athena.accounts.roles import Role
from sales.models import Lead, LeadSource, SourceSpend
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Scope
from sales.queries.reports.source_roi import compute_source_roi
from sales.services.leads import leads
from tests.sales.queries import demo_tables

NEW_YORK = ZoneInfo("America/New_York")
GROUPINGS = ("source", "channel", "campaign")
COSTS = ("spend", "cost_per_lead", "cost_per_booking", "roi")  # unknown for a narrow scope
JUNE_10 = datetime(2026, 6, 10, 12, tzinfo=UTC)
JUNE_11 = datetime(2026, 6, 11, tzinfo=UTC)


def round_to_cents(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def get_local_date(instant):
    return instant.astimezone(NEW_YORK).date()


def compute_naively(tables, by, cohort, start, end):
    """The report from single leads and from single days of spend, by the names of its rows."""
    sources = {source.pk: source for source in tables.LeadSource}
    parts = defaultdict(lambda: {"leads": [], "spend": Decimal()})

    def find_name(source, campaign, unknown):
        if by == "campaign":
            return campaign or unknown
        return unknown if source is None else source.name if by == "source" else source.get_channel_display()

    groups = defaultdict(list)
    for lead in tables.Lead:
        instant = lead.created_at if cohort == "created" else lead.pickup_at
        if instant is not None and start <= get_local_date(instant) <= end:
            groups[(lead.source_id, lead.campaign)].append(lead)
    for (source_id, campaign), group in groups.items():
        source = sources.get(source_id)
        part = parts[find_name(source, campaign, "unknown")]
        part["leads"] += group
        if source and source.cost_model == "per_lead":
            part["spend"] += round_to_cents(source.unit_cost * len(group))
        elif source and source.cost_model == "commission":
            booked = sum((lead.booked_value or 0 for lead in group if lead.status == "won"), Decimal())
            part["spend"] += round_to_cents(booked * source.unit_cost / 100)
    for row in tables.SourceSpend:
        days, day = [], row.month
        while day.month == row.month.month:
            days.append(day)
            day += timedelta(days=1)
        covered = [day for day in days if start <= day <= end]
        if covered:
            part = parts[find_name(sources[row.source_id], row.campaign, "unallocated")]
            part["spend"] += round_to_cents(row.amount * len(covered) / len(days))
    return {name: compute_numbers(part["leads"], part["spend"]) for name, part in parts.items()}


def compute_numbers(group, spend):
    won = [lead for lead in group if lead.won_at]
    revenue = sum((lead.booked_value or Decimal() for lead in group if lead.status == "won"), Decimal())
    days = [(lead.won_at - lead.created_at).total_seconds() / 86400 for lead in won]
    return {
        "leads": len(group),
        "qualified": sum(1 for lead in group if lead.qualified_at or lead.won_at),
        "quoted": sum(1 for lead in group if lead.quoted_at or lead.won_at),
        "won": len(won),
        "booked_revenue": revenue,
        "spend": spend,
        "roi": round(float((revenue - spend) / spend), 4) if spend else None,
        "cost_per_lead": round_to_cents(spend / len(group)) if group else None,
        "cost_per_booking": round_to_cents(spend / len(won)) if won else None,
        "won_rate": round(len(won) / len(group) * 100, 2) if group else None,
        "median_days_to_booking": round(median(days), 2) if days else None,
    }


def test_it_equals_a_naive_computation_over_the_demo(db):
    tables, start, end = demo_tables.load(80), date(2026, 2, 10), date(2026, 10, 20)
    admin = next(user for user in tables.User if user.role == Role.ADMIN)
    totals = set()
    for cohort in ("created", "trip"):
        for by in GROUPINGS:
            table = compute_source_roi(admin, Period(start, end), by=by, cohort=cohort)
            expected = compute_naively(tables, by, cohort, start, end)
            rows = {row.name: asdict(row) for row in table.rows}
            assert {name: {key: rows[name][key] for key in expected[name]} for name in rows} == expected
            for name in ("leads", "qualified", "quoted", "won", "booked_revenue", "spend"):
                assert sum(getattr(row, name) for row in table.rows) == getattr(table.totals, name)
            totals.add((cohort, table.totals.leads, table.totals.spend))

    assert len(totals) == 2, "by source, channel and campaign, the totals are the same"
    assert {"unknown", "unallocated"} <= {row.name for row in compute_source_roi(admin, by="campaign").rows}


@pytest.fixture
def fair(rep):
    """A fair with spend for two campaigns and without one, and five leads: two were won, one of these is reopened."""
    source = LeadSource.objects.create(name="Fair", channel="trade_show")
    for campaign, amount in (("May", 300), ("June", 310), ("", 90)):
        SourceSpend.objects.create(source=source, campaign=campaign, month=date(2026, 6, 1), amount=amount)
    values = {"source": source.pk, "campaign": "May"}
    first, second, *_ = [leads.create(by=rep, values={"company_name": str(n), **values}) for n in range(5)]
    for lead in (first, second):
        leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": Decimal(1000)})
    leads.update(by=rep, lead_id=second.pk, changes={"status": "contacted"})
    Lead.objects.update(created_at=JUNE_10)
    return source


def test_the_numbers_of_a_row(fair, admin):
    (row,) = compute_source_roi(admin).rows
    assert row.median_days_to_booking > 0
    assert asdict(replace(row, median_days_to_booking=None)) == {
        "key": fair.pk,
        "name": "Fair",
        "leads": 5,
        "qualified": 2,
        "quoted": 2,
        "won": 2,
        "qualified_rate": 40.0,
        "quoted_rate": 40.0,
        "won_rate": 40.0,
        "booked_revenue": Decimal(1000),
        "spend": Decimal(700),
        "cost_per_lead": Decimal(140),
        "cost_per_booking": Decimal(350),
        "roi": 0.4286,
        "median_days_to_booking": None,
    }


@pytest.mark.parametrize("by", GROUPINGS)
def test_a_narrow_scope_has_no_spend(fair, admin, rep, colleague, make_lead, by):
    """Nor a row that has nothing but spend."""
    make_lead(source=fair, campaign="July", assigned_to=colleague)
    LeadSource.objects.filter(pk=fair.pk).update(cost_model="per_lead", unit_cost=10)
    table = compute_source_roi(admin, scope=Scope(person=rep.pk), by=by)
    (row,) = table.rows

    assert {getattr(row, name) for name in COSTS} == {None}
    assert {getattr(table.totals, name) for name in COSTS} == {None}
    assert row.leads == 5
    assert row.won == 2
    assert row.booked_revenue == 1000
    assert row.won_rate == 40.0


def test_a_team_has_the_companys_numbers_but_for_spend(fair, admin, manager, desk):
    team = compute_source_roi(manager, scope=Scope(team=desk.pk)).totals
    assert team == compute_source_roi(admin).totals.without_spend()


def test_a_scope_shows_no_invisible_leads(fair, manager, stranger, make_lead):
    make_lead(source=fair, assigned_to=stranger)
    assert compute_source_roi(manager, scope=Scope(person=stranger.pk)).rows == []


def test_spend_counts_once_where_a_join_would_repeat_it(fair, admin):
    joined = Lead.objects.filter(source=fair).aggregate(spend=Sum("source__spend__amount"))["spend"]
    assert joined == 5 * 700
    assert compute_source_roi(admin).totals.spend == 700


def test_by_campaign_the_rest_is_unknown_or_unallocated(fair, admin, make_lead):
    make_lead(source=fair, created_at=JUNE_11)
    rows = compute_source_roi(admin, by="campaign").rows
    assert {row.name: (row.leads, row.spend) for row in rows} == {
        "May": (5, 300),
        "June": (0, 310),
        "unknown": (1, 0),
        "unallocated": (0, 90),
    }


def test_campaigns_that_differ_in_case_and_spaces_are_one(fair, admin, make_lead):
    before = {row.name: row for row in compute_source_roi(admin, by="campaign").rows}
    for campaign in ("MAY", " may", "May ", "may\u00a0", "JUNE"):
        make_lead(source=fair, campaign=campaign, created_at=JUNE_11)
    SourceSpend.objects.create(source=fair, campaign="may", month=date(2026, 5, 1), amount=11)
    rows = {row.name: row for row in compute_source_roi(admin, by="campaign").rows}

    assert {name: (row.key, row.leads, row.spend) for name, row in rows.items()} == {
        "May": ("May", 9, 311),
        "JUNE": ("JUNE", 1, 310),
        "unallocated": (None, 0, 90),
    }
    assert rows["May"].median_days_to_booking is not None
    assert rows["May"].median_days_to_booking == before["May"].median_days_to_booking


def test_a_campaign_may_have_any_name(admin, fair, make_lead):
    day = datetime(2026, 5, 1, tzinfo=UTC)
    sale = {"created_at": day, "status": "won", "won_at": day + timedelta(days=2), "booked_value": 1}
    for campaign in ("unallocated", "İzmir", "i\u0307zmi\u0307r"):
        make_lead(source=fair, campaign=campaign, **sale)
    rows = {row.key: row for row in compute_source_roi(admin, by="campaign").rows}

    assert rows["unallocated"].won == 1
    assert rows["unallocated"].median_days_to_booking == 2
    assert rows["i\u0307zmi\u0307r"].won == 2
    assert rows["i\u0307zmi\u0307r"].median_days_to_booking == 2


@pytest.mark.parametrize(
    ("start", "end", "spend"),
    [
        (date(2026, 6, 1), date(2026, 6, 30), "700"),
        (date(2026, 6, 10), date(2026, 6, 12), "70.00"),
        (date(2026, 5, 1), date(2026, 6, 3), "70.00"),
        (date(2026, 7, 1), None, "0"),
        pytest.param(date(2026, 6, 10), date(2026, 6, 10), "23.33", id="10.00 + 10.33 + 3.00"),
    ],
)
def test_a_partial_month_counts_by_days(fair, admin, start, end, spend):
    assert compute_source_roi(admin, Period(start, end)).totals.spend == Decimal(spend)


@pytest.mark.parametrize(
    ("model", "price", "spend"), [("per_lead", "12.5", "62.50"), ("commission", "8", "80.00"), ("none", "99", "0")]
)
def test_prices_of_leads_and_commissions_are_spend(fair, admin, model, price, spend):
    SourceSpend.objects.all().delete()
    LeadSource.objects.update(cost_model=model, unit_cost=price)
    assert compute_source_roi(admin).totals.spend == Decimal(spend)


def test_days_are_the_companys(fair, admin):
    Lead.objects.update(created_at=datetime(2026, 7, 1, 3, tzinfo=UTC))  # still 30 June in New York
    assert compute_source_roi(admin, Period(None, date(2026, 6, 30))).totals.leads == 5
    assert compute_source_roi(admin, Period(date(2026, 7, 1), None)).totals.leads == 0


def test_only_visible_leads_that_are_not_archived_count(fair, admin, manager, make_user, other_desk):
    Lead.objects.filter(company_name="4").update(archived_at=datetime(2026, 7, 1, tzinfo=UTC))
    other_manager = make_user("far", Role.MANAGER, other_desk)
    assert compute_source_roi(admin).totals.leads == 4
    assert compute_source_roi(manager).totals.leads == 4
    assert compute_source_roi(other_manager).totals.leads == 0


def test_a_lead_that_plain_sql_won_counts(fair, admin):
    Lead.objects.filter(company_name="3").update(status="won", closed_at=datetime(2026, 6, 20, 12, tzinfo=UTC))
    totals = compute_source_roi(admin).totals
    assert totals.won == 3
    assert totals.qualified == 3
    assert totals.quoted == 3


def test_the_number_of_queries_does_not_depend_on_the_sources(fair, admin):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            compute_source_roi(admin)
        counts.append(len(captured))
        for number in range(10):
            Lead.objects.create(company_name="x", source=LeadSource.objects.create(name=f"{number} of {len(counts)}"))
    assert counts == [5, 5]


def test_rates_of_nothing_are_unknown(admin):
    table = compute_source_roi(admin)
    assert table.rows == []
    assert table.totals.won_rate is None
    assert table.totals.roi is None
    assert User.objects.count() == 1
