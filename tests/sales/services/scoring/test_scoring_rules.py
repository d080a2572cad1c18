"""Changing scoring rules: only by managers, only valid rules; each change starts a scoring run."""

import pytest

from sales import errors
from sales.models import LeadScoringRule, RuleSet, ScoringRun
from sales.services.scoring import scoring_rules

RULE = {
    "rule_name": "Wheelchairs",
    "rule_type": "attribute",
    "condition_field": "accessible_seats",
    "condition_operator": "at_least",
    "condition_value": "1",
    "points": 5,
}


def read_version_and_runs() -> tuple[int, list[str]]:
    """The version of the rule set, and the reasons of all runs."""
    return RuleSet.objects.get().version, list(ScoringRun.objects.order_by("id").values_list("reason", flat=True))


def test_a_new_rule_starts_a_run(manager):
    rule = scoring_rules.create_rule(by=manager, values=RULE | {"rule_name": "  Wheelchairs ", "group": " seats "})
    rule.refresh_from_db()
    assert {name: getattr(rule, name) for name in RULE} == RULE
    assert rule.is_active is True
    assert rule.within_days is None
    assert rule.half_life_days is None
    assert rule.group == "seats"
    assert rule.version == 1
    assert read_version_and_runs() == (2, ["Rule added: Wheelchairs"])
    assert ScoringRun.objects.get().started_by == manager


def test_a_changed_rule_starts_a_run(manager):
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    changed = scoring_rules.update_rule(by=manager, rule_id=rule.pk, changes={"points": 35})
    changed.refresh_from_db()

    assert changed.points == 35
    assert changed.version == 2
    assert changed.updated_at > rule.updated_at
    assert read_version_and_runs() == (2, ["Rule changed: Repeat Client"])


def test_saving_the_same_values_changes_nothing(manager):
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    same = scoring_rules.update_rule(by=manager, rule_id=rule.pk, changes={"points": 30, "condition_value": " true "})
    assert same.version == 1
    assert read_version_and_runs() == (1, [])


def test_a_deleted_rule_starts_a_run(manager):
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    scoring_rules.delete_rule(by=manager, rule_id=rule.pk)
    assert not LeadScoringRule.objects.filter(rule_name="Repeat Client").exists()
    assert read_version_and_runs() == (2, ["Rule deleted: Repeat Client"])


def test_only_managers_change_rules(rep):
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    with pytest.raises(errors.NotAllowed):
        scoring_rules.create_rule(by=rep, values=RULE)
    with pytest.raises(errors.NotAllowed):
        scoring_rules.update_rule(by=rep, rule_id=rule.pk, changes={"points": 1})
    with pytest.raises(errors.NotAllowed):
        scoring_rules.delete_rule(by=rep, rule_id=rule.pk)
    assert LeadScoringRule.objects.count() == 8
    assert read_version_and_runs() == (1, [])


def test_a_rule_that_does_not_exist_is_not_found(manager):
    with pytest.raises(errors.NotFound):
        scoring_rules.update_rule(by=manager, rule_id=99, changes={})
    with pytest.raises(errors.NotFound):
        scoring_rules.delete_rule(by=manager, rule_id=99)


INVALID_VALUES = [
    ({"condition_value": "some"}, ["condition_value"]),
    ({"condition_operator": "contains"}, ["condition_operator"]),
    ({"condition_field": "score"}, ["condition_field"]),
    ({"rule_type": "activity"}, ["condition_field"]),
    ({"points": 101}, ["points"]),
    ({"within_days": 3}, ["within_days"]),
    ({"rule_name": "Repeat Client"}, ["rule_name"]),
    ({"rule_name": "repeat  CLIENT"}, ["rule_name"]),
    ({"rule_name": "  "}, ["rule_name"]),
    ({"group": "g" * 51}, ["group"]),
    ({"version": 3}, ["version"]),
]


@pytest.mark.parametrize(("values", "fields"), INVALID_VALUES)
def test_an_invalid_rule_is_not_added(manager, values, fields):
    with pytest.raises(errors.Invalid) as refused:
        scoring_rules.create_rule(by=manager, values=RULE | values)

    assert list(refused.value.fields) == fields
    assert LeadScoringRule.objects.count() == 8
    assert read_version_and_runs() == (1, [])


@pytest.mark.parametrize(("changes", "fields"), INVALID_VALUES)
def test_a_change_is_validated_like_a_new_rule(manager, changes, fields):
    rule = LeadScoringRule.objects.create(**RULE)
    rows = list(LeadScoringRule.objects.order_by("pk").values())

    with pytest.raises(errors.Invalid) as refused:
        scoring_rules.update_rule(by=manager, rule_id=rule.pk, changes=changes)

    assert list(refused.value.fields) == fields
    assert list(LeadScoringRule.objects.order_by("pk").values()) == rows
    assert read_version_and_runs() == (1, [])


def test_a_change_and_a_deletion_leave_other_rules_alone(manager):
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    others = LeadScoringRule.objects.exclude(pk=rule.pk).order_by("pk")
    rows = list(others.values())

    scoring_rules.update_rule(by=manager, rule_id=rule.pk, changes={"points": 1})
    scoring_rules.delete_rule(by=manager, rule_id=rule.pk)

    assert list(others.values()) == rows


def test_at_most_two_hundred_rules_are_active(manager):
    LeadScoringRule.objects.bulk_create(
        LeadScoringRule(**RULE | {"rule_name": f"Rule no. {number}"}) for number in range(192)
    )
    with pytest.raises(errors.TooManyRules):
        scoring_rules.create_rule(by=manager, values=RULE)

    spare = scoring_rules.create_rule(by=manager, values=RULE | {"is_active": False})
    with pytest.raises(errors.TooManyRules):
        scoring_rules.update_rule(by=manager, rule_id=spare.pk, changes={"is_active": True})

    active = LeadScoringRule.objects.get(rule_name="Repeat Client")
    scoring_rules.update_rule(by=manager, rule_id=active.pk, changes={"points": 1})
    scoring_rules.update_rule(by=manager, rule_id=active.pk, changes={"is_active": False})
    scoring_rules.update_rule(by=manager, rule_id=spare.pk, changes={"is_active": True})

    assert LeadScoringRule.objects.filter(is_active=True).count() == 200
