from datetime import timedelta

from sales.models import LeadScoringRule
from sales.scoring.compiler import CompiledRule
from sales.scoring.explanations import RuleExplanation, explain_score
from tests.sales.scoring.conftest import NOW


def why(lead):
    rules = CompiledRule.compile_all(LeadScoringRule.objects.filter(is_active=True))
    return explain_score(rules, lead.pk, NOW)


def test_each_rule_says_what_it_saw_and_gave(no_rules, make_rule, make_lead, log):
    group = {"condition_field": "estimated_passengers", "condition_operator": "greater_than", "group": "size"}
    large = make_rule(rule_name="Large", condition_value="50", points=20, **group)
    medium = make_rule(rule_name="Medium", condition_value="25", points=15, **group)
    quoted = {"rule_type": "activity", "condition_field": "quote_requested", "condition_value": "true"}
    quote = make_rule(rule_name="Quote", points=10, half_life_days=10, **quoted)
    calls = {"rule_type": "activity", "condition_field": "call_count", "condition_operator": "at_least"}
    called = make_rule(rule_name="Calls", condition_value="3", points=8, **calls)
    source = {"condition_field": "source", "condition_operator": "is_set", "condition_value": "false"}
    unknown = make_rule(rule_name="Unknown source", points=-3, **source)
    lead = make_lead(estimated_passengers=60)
    log(lead, "quote_requested", occurred_at=NOW - timedelta(days=10))
    log(lead, "call")
    explanation = why(lead)
    passengers, calls = "Number of passengers: is more than", "Number of activities: Call: is at least 3"
    quoted, source = "They asked for a quote: is true", "Name of the lead source: is known false"
    assert explanation.rules == [
        RuleExplanation(large.pk, "Large", f"{passengers} 50", matched=True, value=60, points=20),
        RuleExplanation(medium.pk, "Medium", f"{passengers} 25", matched=True, value=60, points=0, is_outdone=True),
        RuleExplanation(quote.pk, "Quote", quoted, matched=True, value=True, points=5),
        RuleExplanation(called.pk, "Calls", calls, matched=False, value=1, points=8),
        RuleExplanation(unknown.pk, "Unknown source", source, matched=True, value=None, points=-3),
    ]
    assert [line.value_text for line in explanation.rules] == ["60", "60", "yes", "1", "–"]
    assert [line.rule_name for line in explanation.possible_gains] == ["Calls"]
    assert (explanation.score, explanation.raw_points, explanation.calculated_at) == (22, 22, NOW)


def test_the_score_is_the_sum_held_to_its_bounds(no_rules, make_rule, make_lead):
    lead = make_lead(is_repeat=True)
    make_rule(points=70, group="a")
    make_rule(points=70)
    assert (why(lead).score, why(lead).raw_points) == (100, 140)
    LeadScoringRule.objects.update(points=-5)
    assert (why(lead).score, why(lead).raw_points) == (0, -10)


def test_it_takes_one_query_however_many_rules(no_rules, make_rule, make_lead, django_assert_num_queries):
    lead = make_lead(is_repeat=True)
    for number in range(200):
        make_rule(rule_name=f"Rule no. {number}", rule_type="activity", condition_field="quote_requested", group="all")
    rules = CompiledRule.compile_all(LeadScoringRule.objects.all())
    with django_assert_num_queries(1):
        assert len(explain_score(rules, lead.pk, NOW).rules) == 200


def test_without_rules(no_rules, make_lead):
    assert (why(make_lead()).score, why(make_lead()).rules) == (0, [])
