"""Scoring rules and runs: what comes in and what goes out."""

from typing import Any

from rest_framework import serializers

from athena.api import fields
from athena.api.serializers import Row, StrictSerializer
from sales.models import LeadScoringRule, ScoringRun
from sales.scoring import rule_checks
from sales.scoring.fields import ValueType


class RuleRow(Row):
    id = serializers.IntegerField()
    rule_name = serializers.CharField()
    rule_type = serializers.ChoiceField(LeadScoringRule.Type.choices)
    condition_field = serializers.CharField()
    condition_operator = serializers.ChoiceField(LeadScoringRule.Operator.choices)
    condition_value = serializers.CharField()
    points = serializers.IntegerField()
    is_active = serializers.BooleanField()
    within_days = serializers.IntegerField(allow_null=True)
    half_life_days = serializers.IntegerField(allow_null=True)
    group = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RuleWarning(serializers.Serializer[Any]):
    code = serializers.ChoiceField(["same_condition"])
    message = serializers.CharField()


class Rule(RuleRow):
    problems = serializers.DictField(
        child=serializers.CharField(),
        help_text="What is wrong with the rule, by field: invalid rules give no points. Usually empty, because only "
        "plain SQL can write an invalid rule.",
    )
    warnings = RuleWarning(many=True)


class NewRule(Rule):
    rule_id = serializers.IntegerField()


class RuleBody(StrictSerializer):
    rule_name = fields.OneLineField(max_length=100, allow_blank=False)
    rule_type = fields.ChoiceField(choices=LeadScoringRule.Type.choices)
    condition_field = fields.OneLineField(max_length=100, allow_blank=False)
    condition_operator = fields.ChoiceField(choices=LeadScoringRule.Operator.choices)
    condition_value = fields.OneLineField(
        max_length=255,
        allow_blank=False,
        help_text="For `between`, the lower and the upper limit (both included): `10,50`. For `in`, one or more "
        "values, separated by commas.",
    )
    points = fields.IntegerField(min_value=-100, max_value=100)
    is_active = fields.BooleanField(required=False)
    within_days = fields.IntegerField(min_value=1, max_value=rule_checks.MAX_DAYS, required=False, allow_null=True)
    half_life_days = fields.IntegerField(min_value=1, max_value=rule_checks.MAX_DAYS, required=False, allow_null=True)
    group = fields.OneLineField(max_length=50, required=False)

    class Meta:
        row = NewRule


class Choice(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # (every field has a `label`)


class RuleField(serializers.Serializer[Any]):
    field = serializers.CharField()
    rule_type = serializers.ChoiceField(LeadScoringRule.Type.choices)
    value_type = serializers.ChoiceField([value_type.value for value_type in ValueType])
    description = serializers.CharField()
    operators = serializers.ListField(child=serializers.ChoiceField(LeadScoringRule.Operator.choices))
    choices = Choice(many=True)
    timed = serializers.BooleanField(help_text="Whether rules with this field take within_days and half_life_days.")


class RunRow(Row):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(ScoringRun.State.choices)
    reason = serializers.CharField()
    processed = serializers.IntegerField(help_text="How many of the leads in `total` have been scored.")
    total = serializers.IntegerField(help_text="Open leads. All three counts are of the leads that you may read.")
    changed = serializers.IntegerField(help_text="How many leads got another score.")
    rule_set_version = serializers.IntegerField()
    started_by = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class Recalculation(serializers.Serializer[Any]):
    message = serializers.CharField()
    count = serializers.IntegerField(help_text="How many leads the run scores, of those that you may read.")
    run_id = serializers.IntegerField()
