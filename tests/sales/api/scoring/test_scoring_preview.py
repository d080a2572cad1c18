"""Rehearsing rules and asking what they are worth, over HTTP: shapes, mistakes and rights."""

import pytest

from sales.models import LeadScoringRule, ScoringRun

PREVIEW, WORTH = "/api/v1/sales/scoring/rules/preview", "/api/v1/sales/reports/rule-effectiveness"
RULE = {
    "rule_name": "Wheelchairs", "rule_type": "attribute", "condition_field": "accessible_seats",
    "condition_operator": "at_least", "condition_value": "1", "points": 55,
}  # fmt: skip


@pytest.fixture
def preview(api, manager):
    def ask(body, status=200):
        answer = api(manager).post(PREVIEW, body)
        assert answer.status_code == status, answer.content
        return answer.json()

    return ask


def test_a_new_rule(preview, make_lead, rep):
    lead = make_lead(assigned_to=rep, accessible_seats=2, is_repeat=True, score=30, company_name="Harbor Tours")
    make_lead(assigned_to=rep)
    found = preview({"rule": RULE})
    (sample,) = found.pop("samples")
    assert found == {
        "leads": 2, "changed": 1, "hot": 50, "entering": 1, "leaving": 0,
        "before": [1, 0, 0, 1, 0, 0, 0, 0, 0, 0], "after": [1, 0, 0, 0, 0, 0, 0, 0, 1, 0],
    }  # fmt: skip
    rules = {part["rule_name"]: part for part in sample.pop("rules")}
    assert sample == {"lead_id": lead.pk, "lead_name": "Harbor Tours", "score_before": 30, "score_after": 85}
    assert rules["Wheelchairs"] == {
        "rule_id": 0, "rule_name": "Wheelchairs", "condition": "Number of accessible seats needed: is at least 1",
        "points": 55, "matched": True, "value": 2,
    }  # fmt: skip
    assert (LeadScoringRule.objects.count(), ScoringRun.objects.count()) == (8, 0)


def test_a_change_and_a_whole_set(preview, make_lead):
    make_lead(is_repeat=True, score=30)
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    assert preview({"rule": {"id": rule.pk, "points": 31}})["changed"] == 1
    assert preview({"rule": {"id": rule.pk, "points": 30}})["changed"] == 0
    assert preview({"rules": []})["changed"] == 1
    assert preview({"rules": [RULE | {"condition_field": "is_repeat", "condition_operator": "equals",
                                      "condition_value": "true", "points": 30}]})["changed"] == 0  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({}, 400, {"detail", "code"}),
        ({"rule": RULE, "rules": []}, 400, {"detail", "code"}),
        ({"rule": {"points": 5}}, 400, {"rule"}),
        ({"rule": RULE | {"points": 101}}, 400, {"rule"}),
        ({"rule": RULE | {"color": "red"}}, 400, {"rule"}),
        ({"rule": RULE | {"condition_value": "many"}}, 400, {"condition_value"}),
        ({"rules": [RULE, RULE | {"condition_value": "many"}]}, 400, {"rules.1.condition_value"}),
        ({"rules": "all"}, 400, {"rules"}),
        ({"rule": {"id": 999, "points": 5}}, 404, {"detail", "code"}),
    ],
)
def test_mistakes_are_said(preview, body, status, wrong):
    assert preview(body, status).keys() == wrong


def test_more_rules_than_can_be_active_are_not_asked(preview, make_lead):
    """Each is a part of one statement: a thousand were more than a database takes."""
    make_lead()
    rules = [RULE | {"rule_name": f"Rule no. {number}", "is_active": number < 200} for number in range(1000)]
    assert preview({"rules": rules})["changed"] == 0
    rules[200] |= {"is_active": True}
    assert preview({"rules": rules}, 409)["code"] == "too_many_rules"
    assert preview({"rules": [rule | {"is_active": True} for rule in rules]}, 409)["code"] == "too_many_rules"
    assert preview({"rules": [RULE] * 1001}, 400).keys() == {"rules"}


def test_what_rules_are_worth(api, manager, make_lead):
    make_lead(is_repeat=True, status="won")
    rows = api(manager).get(WORTH).json()
    assert len(rows) == 8
    assert rows[0] == {
        "rule_id": LeadScoringRule.objects.get(rule_name="Repeat Client").pk, "rule_name": "Repeat Client",
        "matches": 1, "closed_with": 1, "won_with": 1, "share_with": 100.0, "closed_without": 0, "won_without": 0,
        "share_without": None, "lift": None, "verdict": "too_few",
    }  # fmt: skip


def test_both_are_for_managers(api, rep, manager, admin):
    people = (None, rep, manager, admin)
    assert [api(each).post(PREVIEW, {"rules": []}).status_code for each in people] == [401, 403, 200, 200]
    assert [api(each).get(WORTH).status_code for each in people] == [401, 403, 200, 200]
