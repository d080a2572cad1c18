"""What rules are worth, against figures worked out by hand."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales.models import LeadScoringRule, LostReason
from sales.queries.reports.effectiveness import effectiveness, effectiveness_table
from sales.queries.reports.exact_statistics import compare_shares
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Whose


@pytest.fixture
def repeat_client(db):
    LeadScoringRule.objects.exclude(rule_name="Repeat Client").delete()
    return LeadScoringRule.objects.get()


@pytest.fixture
def make_leads(make_lead):
    def make(many, **fields):
        if fields.get("status") == "lost":
            fields["lost_reason"] = LostReason.objects.get(name="price")
        return [make_lead(**fields) for _ in range(many)]

    return make


def test_shares_and_lift(repeat_client, make_leads, manager):
    make_leads(12, is_repeat=True, status="won")
    make_leads(8, is_repeat=True, status="lost")
    make_leads(6, is_repeat=False, status="won")
    make_leads(24, is_repeat=False, status="lost")
    make_leads(3, is_repeat=True)
    make_leads(5, is_repeat=True, status="won", archived_at="2026-01-01T00:00Z")
    (found,) = effectiveness(manager)
    counts = (found.matches, found.closed_with, found.won_with, found.closed_without, found.won_without)
    assert counts == (23, 20, 12, 30, 6)
    assert (found.rule_name, found.share_with, found.share_without) == ("Repeat Client", 60.0, 20.0)
    assert found.verdict == "better"
    assert found.lift == compare_shares(12, 20, 6, 30)


def test_verdicts(repeat_client, make_leads, manager):
    make_leads(1, is_repeat=True, status="won")
    make_leads(3, is_repeat=True, status="lost")
    make_leads(1, is_repeat=False, status="lost")
    make_leads(2, is_repeat=False, status="won")
    assert effectiveness(manager)[0].verdict == "too_few"
    make_leads(1, is_repeat=False, status="won")
    assert effectiveness(manager)[0].verdict == "unclear"
    make_leads(6, is_repeat=True, status="lost")
    make_leads(2, is_repeat=False, status="won")
    assert effectiveness(manager)[0].verdict == "worse"


def test_one_query_answers_for_all_rules(db, make_leads, manager):
    make_leads(2)
    with CaptureQueriesContext(connection) as captured:
        assert len(effectiveness(manager)) == 8
    reads = [query for query in captured if " FROM " in query["sql"]]
    assert len(reads) == 3  # the rules, the ends of the leads' keys, the counts


def test_without_leads(repeat_client, manager):
    (found,) = effectiveness(manager)
    assert (found.matches, found.share_with, found.lift, found.verdict) == (0, None, None, "too_few")


def test_as_a_table(repeat_client, make_leads, manager):
    make_leads(12, is_repeat=True, status="won")
    make_leads(8, is_repeat=True, status="lost")
    make_leads(6, status="won")
    make_leads(24, status="lost")
    make_leads(2)
    of_all = {
        "key": None, "name": "all leads", "matches": 52, "closed_with": 50, "won_with": 18, "won_with_rate": 36.0,
        "closed_without": None, "won_without": None, "won_without_rate": None, "lift": None, "lift_low": None,
        "lift_high": None, "verdict": None,
    }  # fmt: skip
    assert effectiveness_table(manager) == {
        "rows": [
            {
                "key": repeat_client.pk, "name": "Repeat Client", "matches": 20, "closed_with": 20, "won_with": 12,
                "won_with_rate": 60.0, "closed_without": 30, "won_without": 6, "won_without_rate": 20.0, "lift": 3.0,
                "lift_low": 1.26, "lift_high": 7.31, "verdict": "better",
            }
        ],
        "totals": of_all,
    }  # fmt: skip


def test_it_is_of_leads_that_one_may_read(repeat_client, make_lead, manager, admin, rep, stranger, desk):
    day = date(2026, 5, 4)
    for owner in (rep, stranger, None):
        make_lead(assigned_to=owner, created_at=datetime(2026, 5, 4, 12, tzinfo=UTC))
    make_lead(assigned_to=rep, created_at=datetime(2026, 6, 4, 12, tzinfo=UTC))

    def leads(user, period=None, **whose):
        return effectiveness_table(user, period, whose=Whose(**whose))["totals"]["matches"]

    assert (leads(manager), leads(admin)) == (3, 4)
    assert (leads(manager, Period(day, day)), leads(admin, Period(day, day))) == (2, 3)
    assert (leads(manager, team=desk.pk), leads(manager, Period(end=day), team=desk.pk)) == (2, 1)
    assert (leads(manager, person=stranger.pk), leads(admin, person=stranger.pk)) == (0, 1)
