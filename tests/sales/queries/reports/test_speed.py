"""How fast sales go, against figures worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from sales.models import Lead, LeadSource
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Whose
from sales.queries.reports.speed import speed

ASKED = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def sales(rep, colleague, make_lead):
    """Maria's: contacted after 1, 2, 3 and 10 hours, two quoted, one booked after eight days; Tom's one still waits."""

    def make(who, **reached):
        hours = {"contacted": "first_contacted_at", "quoted": "quoted_at", "won": "won_at"}
        stamps = {hours[name]: ASKED + timedelta(hours=after) for name, after in reached.items()}
        status = "won" if "won" in reached else "new"
        make_lead(assigned_to=who, created_at=ASKED, status=status, **stamps)

    make(rep, contacted=1, quoted=48, won=192)
    make(rep, contacted=2, quoted=96)
    make(rep, contacted=3)
    make(rep, contacted=10)
    make(colleague)


def stage(reached, waiting, median, p90, unit="days"):
    return {"reached": reached, "waiting": waiting, f"median_{unit}": median, f"p90_{unit}": p90}


def test_figures(sales, manager, rep, colleague):
    report = speed(manager)
    assert report["rows"] == [
        {
            "key": rep.pk, "name": "Maria", "leads": 4, "first_contact": stage(4, 0, 2.5, 7.9, "hours"),
            "quote": stage(2, 2, 3.0, 3.8), "booking": stage(1, 3, 8.0, 8.0),
        },
        {
            "key": colleague.pk, "name": "Tom", "leads": 1, "first_contact": stage(0, 1, None, None, "hours"),
            "quote": stage(0, 1, None, None), "booking": stage(0, 1, None, None),
        },
    ]  # fmt: skip
    assert report["totals"] == report["rows"][0] | {
        "key": None, "name": "total", "leads": 5, "first_contact": stage(4, 1, 2.5, 7.9, "hours"),
        "quote": stage(2, 3, 3.0, 3.8), "booking": stage(1, 4, 8.0, 8.0),
    }  # fmt: skip


def test_by_source_with_those_of_none_last(sales, manager):
    Lead.objects.filter(first_contacted_at=None).update(source=LeadSource.objects.create(name="Fair"))
    assert [(row["name"], row["leads"]) for row in speed(manager, by="source")["rows"]] == [("Fair", 1), ("unknown", 4)]


def test_the_period_scope_and_what_was_logged_for_before(sales, manager, rep, stranger, make_lead):
    make_lead(assigned_to=stranger, created_at=ASKED)
    make_lead(assigned_to=rep, created_at=ASKED + timedelta(days=1), first_contacted_at=ASKED)
    day = (ASKED + timedelta(days=1)).date()
    assert speed(manager)["totals"]["leads"] == 6
    assert speed(manager, Period(day, day))["totals"]["first_contact"] == stage(1, 0, 0.0, 0.0, "hours")
    assert speed(manager, Period(None, day - timedelta(days=2))) == {
        "rows": [], "totals": speed(manager, Period(day + timedelta(days=9)))["totals"]
    }  # fmt: skip


def test_of_a_team_or_a_person(sales, manager, admin, desk, other_desk, colleague, stranger, make_lead):
    make_lead(assigned_to=stranger, created_at=ASKED)
    make_lead(created_at=ASKED)  # nobody's
    assert speed(admin)["totals"]["leads"] == 7
    assert speed(admin, whose=Whose(team=desk.pk)) == speed(manager, whose=Whose(team=desk.pk))
    assert [row["name"] for row in speed(admin, whose=Whose(team=desk.pk))["rows"]] == ["Maria", "Tom"]
    assert speed(admin, whose=Whose(person=colleague.pk))["totals"]["leads"] == 1
    assert speed(admin, whose=Whose(team=other_desk.pk))["totals"]["leads"] == 1
    assert speed(manager, whose=Whose(team=other_desk.pk))["rows"] == []
