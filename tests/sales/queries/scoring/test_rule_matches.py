"""How many leads match each rule, against the score that says why."""

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
    for number in range(6):
        lead = make_lead(is_repeat=number % 2 == 0, estimated_passengers=10 * number, estimated_value=1000 * number)
        Activity.objects.bulk_create(
            Activity(lead=lead, activity_type="call", direction=direction)
            for direction in ("inbound", "outbound")[: number % 3]
        )
    make_lead(is_repeat=True, status="won")
    make_lead(is_repeat=True, archived_at="2026-01-01T00:00Z")


def test_as_many_as_the_explanations_say(leads, manager):
    """Open leads alone; rules that are off count as those that are on; a broken one is left out."""
    LeadScoringRule.objects.filter(rule_name="Repeat Client").update(is_active=False)
    LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="many")
    rules = list(LeadScoringRule.objects.all())
    compiled, expected = CompiledRule.compile_all(rules), {}
    for lead in Lead.objects.open():
        for line in explain_score(compiled, lead.pk, timezone.now()).rules:
            expected[line.rule_id] = expected.get(line.rule_id, 0) + line.matched
    names = {rule.pk: rule.rule_name for rule in rules}
    found = {names[key]: count for key, count in count_matching_leads(manager, rules).items()}
    assert found == {names[key]: count for key, count in expected.items()}
    assert (found["Repeat Client"], found["Called Back"], "Large Group Size" in found) == (3, 4, False)


def test_two_queries_for_all_rules(leads, manager):
    rules = list(LeadScoringRule.objects.all())
    with CaptureQueriesContext(connection) as captured:
        assert len(count_matching_leads(manager, rules)) == 8
    assert len([query for query in captured if "FROM" in query["sql"]]) == 2


def test_more_rules_than_a_query_has_columns_for(leads, manager, monkeypatch):
    rules = list(LeadScoringRule.objects.all())
    at_once = count_matching_leads(manager, rules)
    monkeypatch.setattr("sales.queries.scoring.rule_matches.MAX_RULES_PER_QUERY", 3)
    assert count_matching_leads(manager, rules) == at_once


def test_without_leads_or_rules(manager):
    assert set(count_matching_leads(manager, LeadScoringRule.objects.all()).values()) == {0}
    assert count_matching_leads(manager, []) == {}


def test_of_leads_that_one_may_read(leads, make_lead, manager, stranger, admin):
    make_lead(assigned_to=stranger, is_repeat=True)
    rules = [LeadScoringRule.objects.get(rule_name="Repeat Client")]
    assert [set(count_matching_leads(user, rules).values()) for user in (manager, admin)] == [{3}, {4}]
