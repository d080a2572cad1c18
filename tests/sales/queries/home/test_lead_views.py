"""The named lists of leads: each has its leads, today where the user is."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from sales.models import FollowUp, Lead
from sales.queries.home.lead_views import LEAD_VIEWS, count_leads

WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def leads(make_lead, rep, colleague) -> dict[str, Lead]:
    now, old = WEDNESDAY, WEDNESDAY - timedelta(days=15)
    fresh = {"created_at": now, "assigned_to": rep}

    def make(name, **fields):
        return make_lead(company_name=name, **fresh | fields)

    made = [
        make("plain"),
        make("planned"),
        make("nobody's", assigned_to=None),
        make("colleague's", assigned_to=colleague),
        make("hot", score=50, first_contacted_at=now),
        make("hot, silent", score=80),
        make("warm", score=49),
        make("old", created_at=old),
        make("old, touched", created_at=old, last_activity_at=now),
        make("monday", pickup_at=datetime(2026, 11, 23, 0, 0, tzinfo=UTC)),
        make("sunday", pickup_at=datetime(2026, 11, 29, 23, 59, tzinfo=UTC), status="won"),
        make("next monday", pickup_at=datetime(2026, 11, 30, tzinfo=UTC)),
        make("lost trip", pickup_at=now, status="lost", lost_reason_id="price"),
        make("ends today", status="quoted", quote_valid_until=date(2026, 11, 25)),
        make("ends in a week", status="quoted", quote_valid_until=date(2026, 12, 2)),
        make("ends later", status="quoted", quote_valid_until=date(2026, 12, 3)),
        make("ended", status="quoted", quote_valid_until=date(2026, 11, 24)),
        make("won hot", status="won", score=90),
    ]
    FollowUp.objects.create(
        lead=made[1], assigned_to=rep, follow_up_type="call", scheduled_date="2026-12-01", created_by=rep
    )
    return {lead.company_name: lead for lead in made}


OPEN = {
    "plain", "planned", "nobody's", "colleague's", "hot", "hot, silent", "warm", "old", "old, touched", "monday",
    "next monday", "ends today", "ends in a week", "ends later", "ended",
}  # fmt: skip


@time_machine.travel(WEDNESDAY, tick=False)
@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("open", OPEN),
        ("mine", OPEN - {"nobody's", "colleague's"}),
        ("unowned", {"nobody's"}),
        ("new", OPEN - {"hot", "ends today", "ends in a week", "ends later", "ended"}),
        ("unplanned", OPEN - {"planned"}),
        ("hot", {"hot", "hot, silent"}),
        ("uncontacted", {"hot, silent"}),
        ("week", {"monday", "sunday"}),
        ("stale", {"old"}),
        ("expiring", {"ends today", "ends in a week"}),
    ],
)
def test_a_view_has_its_leads(leads, rep, view, expected):
    rows = LEAD_VIEWS[view].filter_leads(Lead.objects.all(), rep)

    assert sorted(lead.company_name for lead in rows) == sorted(expected)
    assert count_leads(rep, Lead.objects.all(), [view]) == {view: len(expected)}


def test_each_view_has_a_case():
    cases = next(mark for mark in test_a_view_has_its_leads.pytestmark if mark.name == "parametrize").args[1]
    assert {name for name, _ in cases} == set(LEAD_VIEWS)


@time_machine.travel(datetime(2026, 11, 30, 2, tzinfo=UTC), tick=False)
def test_the_week_begins_where_the_user_is(make_lead, rep):
    """Monday has begun in UTC; in New York it is still Sunday."""
    make_lead(company_name="sunday evening", pickup_at=datetime(2026, 11, 30, 1, tzinfo=UTC))
    make_lead(company_name="tuesday", pickup_at=datetime(2026, 12, 1, 15, tzinfo=UTC))
    rep.time_zone = "America/New_York"
    assert [lead.company_name for lead in LEAD_VIEWS["week"].filter_leads(Lead.objects.all(), rep)] == [
        "sunday evening"
    ]


def test_all_views_of_open_leads_are_counted_in_one_query(leads, rep, django_assert_num_queries):
    names = [name for name, view in LEAD_VIEWS.items() if view.open_only]
    with django_assert_num_queries(1):
        count_leads(rep, Lead.objects.all(), names)
    assert set(LEAD_VIEWS) - set(names) == {"week"}
    with django_assert_num_queries(2):
        count_leads(rep, Lead.objects.all(), LEAD_VIEWS)
