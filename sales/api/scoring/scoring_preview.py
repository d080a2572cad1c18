"""Rehearsing a change of rules: mixed into `/sales/scoring/rules`."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.serializers import StrictSerializer
from athena.api.viewsets import ViewSet
from sales import errors
from sales.api.leads.scores import RulePart, build_rule_parts
from sales.api.serializers.scoring_rules import RuleBody
from sales.models import LeadScoringRule
from sales.queries.scoring import scoring_preview
from sales.scoring import rule_checks


class ChangedRule(RuleBody):
    """With `id` a change of that rule: what is not given stays. Without, a new one."""

    id = fields.IdField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needed = [name for name, field in self.fields.items() if field.required]
        for name in self.needed:
            self.fields[name].required = False

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "id" not in attrs and (missing := [name for name in self.needed if name not in attrs]):
            raise serializers.ValidationError(dict.fromkeys(missing, "This field is required."))
        return attrs


class PreviewBody(StrictSerializer):
    rule = ChangedRule(required=False)
    rules = fields.ListField(child=RuleBody(), required=False, max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either a rule, or all rules.")
        return attrs


class SampleOut(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    lead_name = serializers.CharField()
    score_before = serializers.IntegerField()
    score_after = serializers.IntegerField()
    rules = RulePart(many=True, help_text="The explanation of the score after.")


class Preview(serializers.Serializer):  # type: ignore[type-arg]
    leads = serializers.IntegerField(help_text="The open leads that you may read.")
    changed = serializers.IntegerField(help_text="How many of them would have another score.")
    hot = serializers.IntegerField(help_text="From how many points a lead is hot.")
    entering = serializers.IntegerField(help_text="How many would become hot.")
    leaving = serializers.IntegerField(help_text="How many would no longer be hot.")
    before = serializers.ListField(child=serializers.IntegerField(), help_text="Leads with 0–9, 10–19, … 90–100.")
    after = serializers.ListField(child=serializers.IntegerField())
    samples = SampleOut(many=True, help_text="Ten whose score would change most.")


class PreviewActions(ViewSet):
    """What would happen, before it does."""

    action_permissions: ClassVar[dict[str, str]] = {"preview": "sales.change_leadscoringrule"}

    @extend_schema(request=PreviewBody, responses=Preview)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """What a new rule, a change of one (with its `id`) or other `rules` would do to open leads. Managers.

        It is asked of the leads that you may read.
        """
        found = scoring_preview.preview_rules(self.caller, _rules(self.read_body(PreviewBody)))
        numbers = {name: getattr(found, name) for name in list(Preview().fields) if name != "samples"}
        samples = [
            {
                "lead_id": sample.lead.pk,
                "lead_name": str(sample.lead),
                "score_before": sample.before,
                "score_after": sample.after.score,
                "rules": build_rule_parts(sample.after),
            }
            for sample in found.samples
        ]
        return Response({**numbers, "samples": samples})


def _rules(values: dict[str, Any]) -> list[LeadScoringRule]:
    if "rule" in values:
        changed = values["rule"]
        return scoring_preview.get_rules_with_change(changed, changed.pop("id", None))
    rules = [LeadScoringRule(pk=number, **given) for number, given in enumerate(values["rules"], start=1)]
    wrong = {str(number): rule_checks.find_problems(rule_checks.get_values(rule)) for number, rule in enumerate(rules)}
    found = {f"rules.{number}.{name}": why for number, problems in wrong.items() for name, why in problems.items()}
    if found:
        raise errors.Invalid(found)
    return rules
