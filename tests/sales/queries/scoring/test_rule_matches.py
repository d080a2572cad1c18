"""How many leads match each rule: as many as the explanations of their scores say."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sales.models import Activity, Lead, LeadScoringRule
from sales.queries.scoring.rule_matches import count_matching_leads
from sales.scoring.compiler import CompiledRule
from sales.scoring.explanations import explain_score


@pytest.fixture
def leads(make_lead):
    """Six open leads with different values and activities; besides, a closed and an archived lead."""
    for number in range(6):
        lead = make_lead(is_repeat=number % 2 == 0, estimated_passengers=10 * number, estimated_value=1000 * number)
        Activity.objects.bulk_create(
            Activity(lead=lead, activity_type="call", direction=direction)
            for direction in ("inbound", "outbound")[: number % 3]
        )
    make_lead(is_repeat=True, status="won")
    make_lead(is_repeat=True, archived_at="2026-01-01T00:00Z")


def count_by_name(user):
    rules = LeadScoringRule.objects.all()
    names = {rule.pk: rule.rule_name for rule in rules}
    return {names[rule_id]: count for rule_id, count in count_matching_leads(user, rules).items()}


def test_as_many_open_leads_match_as_the_explanations_say(leads, manager):
    compiled_rules = CompiledRule.compile_all(LeadScoringRule.objects.all())
    expected = Counter({rule.rule.rule_name: 0 for rule in compiled_rules})
    for lead in Lead.objects.open():
        explanation = explain_score(compiled_rules, lead.pk, timezone.now())
        expected.update(rule.rule_name for rule in explanation.matching_rules)

    counts = count_by_name(manager)

    assert counts == expected
    assert counts["Repeat Client"] == 3
    assert counts["Called Back"] == 4


def test_rules_that_are_off_count_like_those_that_are_on(leads, manager):
    LeadScoringRule.objects.filter(rule_name="Repeat Client").update(is_active=False)

    assert count_by_name(manager)["Repeat Client"] == 3


def test_invalid_rules_are_left_out(leads, manager):
    LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="many")

    counts = count_by_name(manager)

    assert "Large Group Size" not in counts
    assert len(counts) == 7


def test_all_rules_take_two_queries(leads, manager):
    rules = list(LeadScoringRule.objects.all())

    with CaptureQueriesContext(connection) as captured:
        assert len(count_matching_leads(manager, rules)) == 8

    assert len([query for query in captured if "FROM" in query["sql"]]) == 2


@pytest.mark.parametrize("max_rules", [1, 3, 7, 8])
def test_more_rules_than_a_query_can_take_are_counted_in_several(leads, manager, monkeypatch, max_rules):
    rules = list(LeadScoringRule.objects.all())
    counts_in_one_query = count_matching_leads(manager, rules)
    monkeypatch.setattr("sales.queries.scoring.rule_matches.MAX_RULES_PER_QUERY", max_rules)

    assert count_matching_leads(manager, rules) == counts_in_one_query


def test_without_leads_all_counts_are_zero(manager):
    assert set(count_matching_leads(manager, LeadScoringRule.objects.all()).values()) == {0}


def test_without_rules_there_are_no_counts(manager):
    assert count_matching_leads(manager, []) == {}


@pytest.mark.parametrize(("who", "count"), [("manager", 3), ("admin", 4)])
def test_only_leads_that_the_user_may_read_count(leads, make_lead, manager, stranger, admin, who, count):
    make_lead(assigned_to=stranger, is_repeat=True)
    user = {"manager": manager, "admin": admin}[who]

    assert count_by_name(user)["Repeat Client"] == count
