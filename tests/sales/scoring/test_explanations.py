"""The explanation of a score: what each rule looked at, and the points it gave."""

from datetime import timedelta

import pytest

from sales.models import LeadScoringRule
from sales.scoring.compiler import CompiledRule
from sales.scoring.explanations import RuleExplanation, explain_score
from tests.sales.scoring.conftest import NOW


def explain(lead):
    rules = CompiledRule.compile_all(LeadScoringRule.objects.filter(is_active=True))
    return explain_score(rules, lead.pk, NOW)


@pytest.fixture
def rules(no_rules, make_rule):
    """Rules by name: two of a group, one with a half-life, one that does not match, one for a missing value."""
    group = {"condition_field": "estimated_passengers", "condition_operator": "greater_than", "group": "size"}
    quoted = {"rule_type": "activity", "condition_field": "quote_requested", "condition_value": "true"}
    calls = {"rule_type": "activity", "condition_field": "call_count", "condition_operator": "at_least"}
    source = {"condition_field": "source", "condition_operator": "is_set", "condition_value": "false"}
    rules = [
        make_rule(rule_name="Large", condition_value="50", points=20, **group),
        make_rule(rule_name="Medium", condition_value="25", points=15, **group),
        make_rule(rule_name="Quote", points=10, half_life_days=10, **quoted),
        make_rule(rule_name="Calls", condition_value="3", points=8, **calls),
        make_rule(rule_name="Unknown source", points=-3, **source),
    ]
    return {rule.rule_name: rule for rule in rules}


@pytest.fixture
def lead(make_lead, log):
    """A lead with 60 passengers, which asked for a quote ten days ago and was called once."""
    lead = make_lead(estimated_passengers=60)
    log(lead, "quote_requested", occurred_at=NOW - timedelta(days=10))
    log(lead, "call")
    return lead


def test_each_rule_says_what_it_looked_at_and_gave(rules, lead):
    explanation = explain(lead)

    assert explanation.rules == [
        RuleExplanation(
            rule_id=rules["Large"].pk,
            rule_name="Large",
            condition="Number of passengers: is more than 50",
            matched=True,
            value=60,
            points=20,
        ),
        RuleExplanation(
            rule_id=rules["Medium"].pk,
            rule_name="Medium",
            condition="Number of passengers: is more than 25",
            matched=True,
            value=60,
            points=0,
            is_outdone=True,
        ),
        RuleExplanation(
            rule_id=rules["Quote"].pk,
            rule_name="Quote",
            condition="They asked for a quote: is true",
            matched=True,
            value=True,
            points=5,
        ),
        RuleExplanation(
            rule_id=rules["Calls"].pk,
            rule_name="Calls",
            condition="Number of activities: Call: is at least 3",
            matched=False,
            value=1,
            points=8,
        ),
        RuleExplanation(
            rule_id=rules["Unknown source"].pk,
            rule_name="Unknown source",
            condition="Name of the lead source: is known false",
            matched=True,
            value=None,
            points=-3,
        ),
    ]


def test_the_matching_rules_add_up_to_the_score(rules, lead):
    explanation = explain(lead)

    assert explanation.score == 22
    assert explanation.raw_points == 22
    assert sum(rule.points for rule in explanation.matching_rules) == 22
    assert explanation.calculated_at == NOW


def test_values_are_written_for_people(rules, lead):
    assert [rule.value_text for rule in explain(lead).rules] == ["60", "60", "yes", "1", "–"]


def test_possible_gains_are_rules_that_would_add_points(rules, lead):
    assert [rule.rule_name for rule in explain(lead).possible_gains] == ["Calls"]


@pytest.mark.parametrize(("points", "raw_points", "score"), [(70, 140, 100), (-5, -10, 0)])
def test_the_score_is_the_sum_limited_to_0_and_100(no_rules, make_rule, make_lead, points, raw_points, score):
    lead = make_lead(is_repeat=True)
    make_rule(points=points, group="a")
    make_rule(points=points)

    explanation = explain(lead)

    assert explanation.raw_points == raw_points
    assert explanation.score == score


def test_two_hundred_rules_take_one_query(no_rules, make_rule, make_lead, django_assert_num_queries):
    lead = make_lead(is_repeat=True)
    for number in range(200):
        make_rule(rule_name=f"Rule no. {number}", rule_type="activity", condition_field="quote_requested", group="all")
    rules = CompiledRule.compile_all(LeadScoringRule.objects.all())

    with django_assert_num_queries(1):
        explanation = explain_score(rules, lead.pk, NOW)

    assert len(explanation.rules) == 200


def test_without_rules_the_score_is_0(no_rules, make_lead):
    explanation = explain(make_lead())

    assert explanation.score == 0
    assert explanation.rules == []
