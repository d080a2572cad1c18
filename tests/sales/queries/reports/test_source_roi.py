"""The report on sources against a naive pass over the demo, and against figures worked out by hand."""

from collections import defaultdict
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
from sales.queries.reports.scope import Whose
from sales.queries.reports.source_roi import BY, COSTS, source_roi
from sales.services.leads import leads
from tests.sales.queries import demo_tables

NEW_YORK = ZoneInfo("America/New_York")


def cents(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def day_of(moment):
    return moment.astimezone(NEW_YORK).date()


def naive(world, by, cohort, start, end):
    """Every lead and every day of every month of spend, one by one."""
    sources = {source.pk: source for source in world.LeadSource}
    parts = defaultdict(lambda: {"leads": [], "spend": Decimal()})

    def key(source, campaign, nothing):
        if by == "campaign":
            return campaign or nothing
        return nothing if source is None else source.name if by == "source" else source.get_channel_display()

    groups = defaultdict(list)
    for lead in world.Lead:
        moment = lead.created_at if cohort == "created" else lead.pickup_at
        if moment is not None and start <= day_of(moment) <= end:
            groups[(lead.source_id, lead.campaign)].append(lead)
    for (source_id, campaign), found in groups.items():
        source = sources.get(source_id)
        part = parts[key(source, campaign, "unknown")]
        part["leads"] += found
        if source and source.cost_model == "per_lead":
            part["spend"] += cents(source.unit_cost * len(found))
        elif source and source.cost_model == "commission":
            booked = sum((lead.booked_value or 0 for lead in found if lead.status == "won"), Decimal())
            part["spend"] += cents(booked * source.unit_cost / 100)
    for row in world.SourceSpend:
        days, day = [], row.month
        while day.month == row.month.month:
            days.append(day)
            day += timedelta(days=1)
        covered = [day for day in days if start <= day <= end]
        if covered:
            part = parts[key(sources[row.source_id], row.campaign, "unallocated")]
            part["spend"] += cents(row.amount * len(covered) / len(days))
    return {name: figures(part["leads"], part["spend"]) for name, part in parts.items()}


def figures(found, spend):
    won = [lead for lead in found if lead.won_at]
    revenue = sum((lead.booked_value or Decimal() for lead in found if lead.status == "won"), Decimal())
    days = [(lead.won_at - lead.created_at).total_seconds() / 86400 for lead in won]
    return {
        "leads": len(found), "qualified": sum(1 for lead in found if lead.qualified_at or lead.won_at),
        "quoted": sum(1 for lead in found if lead.quoted_at or lead.won_at), "won": len(won),
        "booked_revenue": revenue, "spend": spend,
        "roi": round(float((revenue - spend) / spend), 4) if spend else None,
        "cost_per_lead": cents(spend / len(found)) if found else None,
        "cost_per_booking": cents(spend / len(won)) if won else None,
        "won_rate": round(len(won) / len(found) * 100, 2) if found else None,
        "median_days_to_booking": round(median(days), 2) if days else None,
    }  # fmt: skip


def test_it_is_what_a_naive_pass_over_the_demo_finds(db):
    world, start, end = demo_tables.load(80), date(2026, 2, 10), date(2026, 10, 20)
    admin = next(user for user in world.User if user.role == Role.ADMIN)
    totals = set()
    for cohort in ("created", "trip"):
        for by in BY:
            report = source_roi(admin, Period(start, end), by=by, cohort=cohort)
            expected = naive(world, by, cohort, start, end)
            assert {
                row["name"]: {name: row[name] for name in expected[row["name"]]} for row in report["rows"]
            } == expected
            for name in ("leads", "qualified", "quoted", "won", "booked_revenue", "spend"):
                assert sum(row[name] for row in report["rows"]) == report["totals"][name]
            totals.add((cohort, report["totals"]["leads"], report["totals"]["spend"]))
    assert len(totals) == 2, "the ways of cutting it agree"
    assert {"unknown", "unallocated"} <= {row["name"] for row in source_roi(admin, by="campaign")["rows"]}


@pytest.fixture
def fair(rep):
    """A fair with two campaigns' spend and some without, and five leads: two of them won, one of these reopened."""
    source = LeadSource.objects.create(name="Fair", channel="trade_show")
    for campaign, amount in (("May", 300), ("June", 310), ("", 90)):
        SourceSpend.objects.create(source=source, campaign=campaign, month=date(2026, 6, 1), amount=amount)
    made = [
        leads.create(by=rep, values={"company_name": str(n), "source": source.pk, "campaign": "May"}) for n in range(5)
    ]
    for lead in made[:2]:
        leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": Decimal(1000)})
    leads.update(by=rep, lead_id=made[1].pk, changes={"status": "contacted"})
    Lead.objects.update(created_at=datetime(2026, 6, 10, 12, tzinfo=UTC))
    return source


def test_figures(fair, admin):
    (row,) = source_roi(admin)["rows"]
    assert row.pop("median_days_to_booking") > 0
    assert row == {
        "key": fair.pk, "name": "Fair", "leads": 5, "qualified": 2, "quoted": 2, "won": 2, "qualified_rate": 40.0,
        "quoted_rate": 40.0, "won_rate": 40.0, "booked_revenue": Decimal(1000), "spend": Decimal(700),
        "cost_per_lead": Decimal(140), "cost_per_booking": Decimal(350), "roi": 0.4286,
    }  # fmt: skip


def test_of_some_people_there_is_no_spend(fair, admin, manager, rep, colleague, stranger, make_lead, desk):
    """Nor a row that is nothing but spend; where somebody's leads are not visible, there is nothing at all."""
    make_lead(source=fair, campaign="July", assigned_to=colleague)
    LeadSource.objects.filter(pk=fair.pk).update(cost_model="per_lead", unit_cost=10)
    whole = source_roi(admin)["totals"]
    for by in BY:
        found = source_roi(admin, by=by, whose=Whose(person=rep.pk))
        (row,) = found["rows"]
        assert {row[name] for name in COSTS} | {found["totals"][name] for name in COSTS} == {None}
        assert (row["leads"], row["won"], row["booked_revenue"], row["won_rate"]) == (5, 2, 1000, 40.0)
    team = source_roi(manager, whose=Whose(team=desk.pk))["totals"]
    assert team == whole | dict.fromkeys(COSTS)
    make_lead(source=fair, assigned_to=stranger)
    assert source_roi(manager, whose=Whose(person=stranger.pk))["rows"] == []


def test_a_join_would_count_spend_once_for_each_lead(fair, admin):
    joined = Lead.objects.filter(source=fair).aggregate(spend=Sum("source__spend__amount"))["spend"]
    assert joined == 5 * 700
    assert source_roi(admin)["totals"]["spend"] == 700


def test_by_campaign_what_belongs_to_none_is_said_so(fair, admin, make_lead):
    make_lead(source=fair, created_at=datetime(2026, 6, 11, tzinfo=UTC))
    rows = {row["name"]: (row["leads"], row["spend"]) for row in source_roi(admin, by="campaign")["rows"]}
    assert rows == {"May": (5, 300), "June": (0, 310), "unknown": (1, 0), "unallocated": (0, 90)}


def test_campaigns_that_differ_in_case_and_spaces_are_one(fair, admin, make_lead):
    day = datetime(2026, 6, 11, tzinfo=UTC)
    before = {row["name"]: row for row in source_roi(admin, by="campaign")["rows"]}
    for campaign in ("MAY", " may", "May ", "may\u00a0", "JUNE"):
        make_lead(source=fair, campaign=campaign, created_at=day)
    SourceSpend.objects.create(source=fair, campaign="may", month=date(2026, 5, 1), amount=11)
    rows = {row["name"]: row for row in source_roi(admin, by="campaign")["rows"]}
    figures = {name: (row["key"], row["leads"], row["spend"]) for name, row in rows.items()}
    assert figures == {"May": ("May", 9, 311), "JUNE": ("JUNE", 1, 310), "unallocated": (None, 0, 90)}
    assert rows["May"]["median_days_to_booking"] == before["May"]["median_days_to_booking"] is not None


def test_a_campaign_may_be_called_anything(admin, fair, make_lead):
    day = datetime(2026, 5, 1, tzinfo=UTC)
    for campaign in ("unallocated", "İzmir", "i\u0307zmi\u0307r"):
        make_lead(
            source=fair, campaign=campaign, created_at=day, status="won", won_at=day + timedelta(days=2), booked_value=1
        )
    rows = {row["key"]: row for row in source_roi(admin, by="campaign")["rows"]}
    found = [(rows[key]["won"], rows[key]["median_days_to_booking"]) for key in ("unallocated", "i\u0307zmi\u0307r")]
    assert found == [(1, 2), (2, 2)]


def test_a_month_that_the_period_cuts_counts_by_its_days(fair, admin):
    def spent(start, end):
        return source_roi(admin, Period(start, end))["totals"]["spend"]

    assert spent(date(2026, 6, 1), date(2026, 6, 30)) == 700
    assert spent(date(2026, 6, 10), date(2026, 6, 12)) == Decimal("70.00")
    assert spent(date(2026, 5, 1), date(2026, 6, 3)) == Decimal("70.00")
    assert spent(date(2026, 7, 1), None) == 0
    assert spent(date(2026, 6, 10), date(2026, 6, 10)) == Decimal("10.00") + Decimal("10.33") + Decimal("3.00")


@pytest.mark.parametrize(
    ("model", "price", "spend"), [("per_lead", "12.5", "62.50"), ("commission", "8", "80.00"), ("none", "99", "0")]
)
def test_what_leads_and_bookings_cost_by_themselves(fair, admin, model, price, spend):
    SourceSpend.objects.all().delete()
    LeadSource.objects.update(cost_model=model, unit_cost=price)
    assert source_roi(admin)["totals"]["spend"] == Decimal(spend)


def test_the_day_is_the_companys(fair, admin):
    Lead.objects.update(created_at=datetime(2026, 7, 1, 3, tzinfo=UTC))  # still 30 June in New York
    assert source_roi(admin, Period(None, date(2026, 6, 30)))["totals"]["leads"] == 5
    assert source_roi(admin, Period(date(2026, 7, 1), None))["totals"]["leads"] == 0


def test_leads_are_those_in_scope_and_not_put_away(fair, admin, manager, make_user, other_desk):
    Lead.objects.filter(company_name="4").update(archived_at=datetime(2026, 7, 1, tzinfo=UTC))
    far = make_user("far", Role.MANAGER, other_desk)
    assert [source_roi(user)["totals"]["leads"] for user in (admin, manager, far)] == [4, 4, 0]


def test_won_by_plain_sql_counts(fair, admin):
    Lead.objects.filter(company_name="3").update(status="won", closed_at=datetime(2026, 6, 20, 12, tzinfo=UTC))
    totals = source_roi(admin)["totals"]
    assert (totals["won"], totals["qualified"], totals["quoted"]) == (3, 3, 3)


def test_as_many_queries_for_one_source_as_for_many(fair, admin):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            source_roi(admin)
        counts.append(len(captured))
        for number in range(10):
            Lead.objects.create(company_name="x", source=LeadSource.objects.create(name=f"{number} of {len(counts)}"))
    assert counts[0] == counts[1] == 5


def test_of_nothing(admin):
    report = source_roi(admin)
    assert report["rows"] == []
    assert (report["totals"]["won_rate"], report["totals"]["roi"]) == (None, None)
    assert User.objects.count() == 1
