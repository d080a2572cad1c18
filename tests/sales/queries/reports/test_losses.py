"""Why leads are lost, against numbers that were computed by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sales.models import LeadSource, LostReason
from sales.queries.reports.losses import LossRow, compute_losses
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Scope
from sales.queries.reports.table import ReportTable

ARRIVAL = datetime(2026, 5, 4, 12, tzinfo=UTC)
NO_LOSSES = LossRow(None, "total", 0, None, 0, Decimal(0), 0, None)


@pytest.fixture
def source(rep, make_lead):
    """A source with one of four lost leads; a won lead counts nowhere."""
    source = LeadSource.objects.create(name="Fair")

    def lose(reason, days, **fields):
        lost_reason = LostReason.objects.get(name=reason)
        times = {"created_at": ARRIVAL, "closed_at": ARRIVAL + timedelta(days=days)}
        make_lead(assigned_to=rep, status="lost", lost_reason=lost_reason, **times, **fields)

    lose("price", 2, estimated_value=4000, quote_amount=Decimal("2499.99"), quoted_at=ARRIVAL, source=source)
    lose("price", 4, estimated_value=1000)
    lose("price", 9)
    lose("competitor", 10, quote_amount=10_000)
    make_lead(assigned_to=rep, status="won", closed_at=ARRIVAL, booked_value=99)
    return source


def test_losses_by_reason(source, manager):
    table = compute_losses(manager)
    assert table.rows == [
        LossRow("price", "Price", 3, 75.0, 1, Decimal("3499.99"), 1, 4.0),
        LossRow("competitor", "Went to a competitor", 1, 25.0, 0, Decimal(10_000), 0, 10.0),
    ]
    assert table.totals == LossRow(None, "total", 4, 100.0, 1, Decimal("13499.99"), 1, 6.5)


def test_losses_by_source_have_the_unknown_last(source, manager):
    rows = compute_losses(manager, by="source").rows
    assert [(row.key, row.name, row.lost) for row in rows] == [(source.pk, "Fair", 1), (None, "unknown", 3)]


def test_losses_by_value_are_in_the_order_of_values(source, manager):
    rows = compute_losses(manager, by="value").rows
    assert {row.name: row.lost for row in rows} == {"1,000 to 2,499": 2, "10,000 and more": 1, "unknown": 1}
    assert [row.name for row in rows] == ["1,000 to 2,499", "10,000 and more", "unknown"]


def test_the_period_is_about_the_day_of_the_loss(source, manager):
    assert compute_losses(manager, Period(date(2026, 5, 6), date(2026, 5, 8))).totals.lost == 2


def test_only_visible_leads_count(source, stranger):
    assert compute_losses(stranger).totals == NO_LOSSES


def test_a_scope_leaves_the_leads_that_its_people_own(source, manager, rep, colleague, desk, other_desk):
    company = compute_losses(manager)
    assert compute_losses(manager, scope=Scope(person=rep.pk)) == company
    assert compute_losses(manager, scope=Scope(team=desk.pk)) == company
    assert compute_losses(manager, scope=Scope(person=colleague.pk)) == ReportTable([], NO_LOSSES)
    assert compute_losses(manager, scope=Scope(team=other_desk.pk)) == ReportTable([], NO_LOSSES)
