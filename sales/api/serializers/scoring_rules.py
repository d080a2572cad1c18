"""The shape of a scoring rule: as it goes out, and as it comes in."""

from rest_framework import serializers

from athena.api import fields
from athena.api.serializers import Row, StrictSerializer
from sales.models import LeadScoringRule
from sales.scoring import rule_checks


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


class RuleWarning(serializers.Serializer):  # type: ignore[type-arg]
    code = serializers.ChoiceField(["same_condition"])
    message = serializers.CharField()


class Rule(RuleRow):
    problems = serializers.DictField(
        child=serializers.CharField(), help_text="Why a rule that was written past the API is skipped; usually empty."
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
        help_text="For `between` two values, both included, and for `in` some: 10,50.",
    )
    points = fields.IntegerField(min_value=-100, max_value=100)
    is_active = fields.BooleanField(required=False)
    within_days = fields.IntegerField(min_value=1, max_value=rule_checks.MAX_DAYS, required=False, allow_null=True)
    half_life_days = fields.IntegerField(min_value=1, max_value=rule_checks.MAX_DAYS, required=False, allow_null=True)
    group = fields.OneLineField(max_length=50, required=False)

    class Meta:
        row = NewRule
