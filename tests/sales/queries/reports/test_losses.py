"""Why leads are lost, against figures worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sales.models import LeadSource
from sales.queries.reports.losses import losses
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Whose

ASKED = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def lost(rep, make_lead):
    from sales.models import LostReason

    source = LeadSource.objects.create(name="Fair")

    def lose(reason, days, **fields):
        make_lead(
            assigned_to=rep, status="lost", lost_reason=LostReason.objects.get(name=reason), created_at=ASKED,
            closed_at=ASKED + timedelta(days=days), **fields,
        )  # fmt: skip

    lose("price", 2, estimated_value=4000, quote_amount=Decimal("2499.99"), quoted_at=ASKED, source=source)
    lose("price", 4, estimated_value=1000)
    lose("price", 9)
    lose("competitor", 10, quote_amount=10_000)
    make_lead(assigned_to=rep, status="won", closed_at=ASKED, booked_value=99)
    return source


def row(key, name, lost, share, quoted, value, unvalued, days):
    return {
        "key": key, "name": name, "lost": lost, "share": share, "quoted": quoted, "value": Decimal(value),
        "unvalued": unvalued, "median_days_to_loss": days,
    }  # fmt: skip


def test_by_reason(lost, manager):
    assert losses(manager) == {
        "rows": [
            row("price", "Price", 3, 75.0, 1, "3499.99", 1, 4.0),
            row("competitor", "Went to a competitor", 1, 25.0, 0, 10_000, 0, 10.0),
        ],
        "totals": row(None, "total", 4, 100.0, 1, "13499.99", 1, 6.5),
    }


def test_by_source_and_value(lost, manager):
    assert [(each["key"], each["name"], each["lost"]) for each in losses(manager, by="source")["rows"]] == [
        (lost.pk, "Fair", 1), (None, "unknown", 3),
    ]  # fmt: skip
    assert [(each["name"], each["lost"]) for each in losses(manager, by="value")["rows"]] == [
        ("1,000 to 2,499", 2), ("10,000 and more", 1), ("unknown", 1),
    ]  # fmt: skip


def test_the_period_is_of_the_loss_and_the_leads_are_those_in_scope(lost, manager, stranger):
    assert losses(manager, Period(date(2026, 5, 6), date(2026, 5, 8)))["totals"]["lost"] == 2
    assert losses(stranger)["totals"] == row(None, "total", 0, None, 0, 0, 0, None)


def test_of_a_team_or_a_person(lost, manager, rep, colleague, desk, other_desk):
    whole = losses(manager)
    assert losses(manager, whose=Whose(person=rep.pk)) == losses(manager, whose=Whose(team=desk.pk)) == whole
    for whose in (Whose(person=colleague.pk), Whose(team=other_desk.pk)):
        assert losses(manager, whose=whose) == {"rows": [], "totals": row(None, "total", 0, None, 0, 0, 0, None)}
