"""What scoring rules say about sales, against numbers that were computed by hand."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales.models import LeadScoringRule, LostReason
from sales.queries.reports.exact_statistics import compare_shares
from sales.queries.reports.period import Period
from sales.queries.reports.rule_effectiveness import (
    RuleEffectivenessRow,
    compute_rule_effectiveness,
    compute_rule_effectiveness_table,
)
from sales.queries.reports.scope import Scope

DAY = date(2026, 5, 4)


@pytest.fixture
def repeat_client(db):
    LeadScoringRule.objects.exclude(rule_name="Repeat Client").delete()
    return LeadScoringRule.objects.get()


@pytest.fixture
def make_leads(make_lead):
    def make(count, **fields):
        if fields.get("status") == "lost":
            fields["lost_reason"] = LostReason.objects.get(name="price")
        return [make_lead(**fields) for _ in range(count)]

    return make


def test_shares_and_lift(repeat_client, make_leads, manager):
    make_leads(12, is_repeat=True, status="won")
    make_leads(8, is_repeat=True, status="lost")
    make_leads(6, is_repeat=False, status="won")
    make_leads(24, is_repeat=False, status="lost")
    make_leads(3, is_repeat=True)
    make_leads(5, is_repeat=True, status="won", archived_at="2026-01-01T00:00Z")
    (rule,) = compute_rule_effectiveness(manager)

    assert rule.rule_name == "Repeat Client"
    assert rule.matches == 23
    assert rule.closed_with == 20
    assert rule.won_with == 12
    assert rule.closed_without == 30
    assert rule.won_without == 6
    assert rule.share_with == 60.0
    assert rule.share_without == 20.0
    assert rule.verdict == "better"
    assert rule.lift == compare_shares(12, 20, 6, 30)


def test_verdicts(repeat_client, make_leads, manager):
    make_leads(1, is_repeat=True, status="won")
    make_leads(3, is_repeat=True, status="lost")
    make_leads(1, is_repeat=False, status="lost")
    make_leads(2, is_repeat=False, status="won")

    assert compute_rule_effectiveness(manager)[0].verdict == "too_few"

    make_leads(1, is_repeat=False, status="won")
    assert compute_rule_effectiveness(manager)[0].verdict == "unclear"

    make_leads(6, is_repeat=True, status="lost")
    make_leads(2, is_repeat=False, status="won")
    assert compute_rule_effectiveness(manager)[0].verdict == "worse"


def test_one_query_counts_for_all_rules(db, make_leads, manager):
    make_leads(2)
    with CaptureQueriesContext(connection) as captured:
        assert len(compute_rule_effectiveness(manager)) == 8
    reads = [query for query in captured if " FROM " in query["sql"]]
    assert len(reads) == 3  # the rules, the highest and lowest key of the leads, the counts


def test_without_leads(repeat_client, manager):
    (rule,) = compute_rule_effectiveness(manager)
    assert rule.matches == 0
    assert rule.share_with is None
    assert rule.lift is None
    assert rule.verdict == "too_few"


def test_as_a_table(repeat_client, make_leads, manager):
    make_leads(12, is_repeat=True, status="won")
    make_leads(8, is_repeat=True, status="lost")
    make_leads(6, status="won")
    make_leads(24, status="lost")
    make_leads(2)
    table = compute_rule_effectiveness_table(manager)

    assert table.rows == [
        RuleEffectivenessRow(
            key=repeat_client.pk,
            name="Repeat Client",
            matches=20,
            closed_with=20,
            won_with=12,
            won_with_rate=60.0,
            closed_without=30,
            won_without=6,
            won_without_rate=20.0,
            lift=3.0,
            lift_low=1.26,
            lift_high=7.31,
            verdict="better",
        )
    ]
    assert table.totals == RuleEffectivenessRow(
        key=None, name="all leads", matches=52, closed_with=50, won_with=18, won_with_rate=36.0
    )


@pytest.fixture
def leads_of_three(make_lead, rep, stranger):
    """A lead each of Maria, Otto and nobody on `DAY`, and one of Maria a month later."""
    for owner in (rep, stranger, None):
        make_lead(assigned_to=owner, created_at=datetime(2026, 5, 4, 12, tzinfo=UTC))
    make_lead(assigned_to=rep, created_at=datetime(2026, 6, 4, 12, tzinfo=UTC))


def count_leads(user, period=None, **scope):
    return compute_rule_effectiveness_table(user, period, Scope(**scope)).totals.matches


def test_only_visible_leads_count(repeat_client, leads_of_three, manager, admin):
    assert count_leads(manager) == 3
    assert count_leads(admin) == 4


def test_the_period_is_about_the_arrival(repeat_client, leads_of_three, manager, admin):
    assert count_leads(manager, Period(DAY, DAY)) == 2
    assert count_leads(admin, Period(DAY, DAY)) == 3


def test_a_scope_leaves_the_leads_that_its_people_own(repeat_client, leads_of_three, manager, admin, stranger, desk):
    assert count_leads(manager, team=desk.pk) == 2
    assert count_leads(manager, Period(end=DAY), team=desk.pk) == 1
    assert count_leads(manager, person=stranger.pk) == 0
    assert count_leads(admin, person=stranger.pk) == 1
