"""Sales speed, against numbers that were computed by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sales.models import Lead, LeadSource
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Scope
from sales.queries.reports.speed import SpeedRow, StageInDays, StageInHours, compute_speed

ARRIVAL = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def sales(rep, colleague, make_lead):
    """Maria: contacted after 1, 2, 3 and 10 hours, two quoted, one booked after eight days. Tom: one lead waits."""

    def make(owner, contacted=None, quoted=None, won=None):
        hours = {"first_contacted_at": contacted, "quoted_at": quoted, "won_at": won}
        times = {name: ARRIVAL + timedelta(hours=after) for name, after in hours.items() if after is not None}
        make_lead(assigned_to=owner, created_at=ARRIVAL, status="won" if won else "new", **times)

    make(rep, contacted=1, quoted=48, won=192)
    make(rep, contacted=2, quoted=96)
    make(rep, contacted=3)
    make(rep, contacted=10)
    make(colleague)


def test_each_stage_of_each_owner(sales, manager, rep, colleague):
    table = compute_speed(manager)
    maria = SpeedRow(
        key=rep.pk,
        name="Maria",
        leads=4,
        first_contact=StageInHours(reached=4, waiting=0, median_hours=2.5, p90_hours=7.9),
        quote=StageInDays(reached=2, waiting=2, median_days=3.0, p90_days=3.8),
        booking=StageInDays(reached=1, waiting=3, median_days=8.0, p90_days=8.0),
    )
    tom = SpeedRow(
        key=colleague.pk,
        name="Tom",
        leads=1,
        first_contact=StageInHours(reached=0, waiting=1, median_hours=None, p90_hours=None),
        quote=StageInDays(reached=0, waiting=1, median_days=None, p90_days=None),
        booking=StageInDays(reached=0, waiting=1, median_days=None, p90_days=None),
    )

    assert table.rows == [maria, tom]
    assert table.totals == SpeedRow(
        key=None,
        name="total",
        leads=5,
        first_contact=replace(maria.first_contact, waiting=1),
        quote=replace(maria.quote, waiting=3),
        booking=replace(maria.booking, waiting=4),
    )


def test_leads_without_a_source_come_last(sales, manager):
    Lead.objects.filter(first_contacted_at=None).update(source=LeadSource.objects.create(name="Fair"))
    rows = compute_speed(manager, by="source").rows
    assert [(row.name, row.leads) for row in rows] == [("Fair", 1), ("unknown", 4)]


def test_invisible_leads_do_not_count(sales, manager, stranger, make_lead):
    make_lead(assigned_to=stranger, created_at=ARRIVAL)
    assert compute_speed(manager).totals.leads == 5


def test_a_contact_before_the_arrival_took_no_time(sales, manager, rep, make_lead):
    make_lead(assigned_to=rep, created_at=ARRIVAL + timedelta(days=1), first_contacted_at=ARRIVAL)
    next_day = (ARRIVAL + timedelta(days=1)).date()
    totals = compute_speed(manager, Period(next_day, next_day)).totals
    assert totals.first_contact == StageInHours(reached=1, waiting=0, median_hours=0.0, p90_hours=0.0)


def test_the_period_is_about_the_arrival(sales, manager):
    day = ARRIVAL.date()
    before = compute_speed(manager, Period(None, day - timedelta(days=1)))
    after = compute_speed(manager, Period(day + timedelta(days=10)))

    assert before == after
    assert before.rows == []
    assert compute_speed(manager, Period(day, day)).totals.leads == 5


def test_a_scope_leaves_the_leads_that_its_people_own(
    sales, manager, admin, desk, other_desk, colleague, stranger, make_lead
):
    make_lead(assigned_to=stranger, created_at=ARRIVAL)
    make_lead(created_at=ARRIVAL)  # unassigned
    team = compute_speed(admin, scope=Scope(team=desk.pk))

    assert compute_speed(admin).totals.leads == 7
    assert [row.name for row in team.rows] == ["Maria", "Tom"]
    assert team == compute_speed(manager, scope=Scope(team=desk.pk))
    assert compute_speed(admin, scope=Scope(person=colleague.pk)).totals.leads == 1
    assert compute_speed(admin, scope=Scope(team=other_desk.pk)).totals.leads == 1
    assert compute_speed(manager, scope=Scope(team=other_desk.pk)).rows == []
