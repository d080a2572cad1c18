"""The preview of a rule change: an action of `/sales/scoring/rules`."""

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
    """A change of the rule `id`, where fields that are left out stay as they are; without `id`, a new rule."""

    id = fields.IdField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.required_names = [name for name, field in self.fields.items() if field.required]
        for name in self.required_names:
            self.fields[name].required = False

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "id" not in attrs and (missing := [name for name in self.required_names if name not in attrs]):
            raise serializers.ValidationError(dict.fromkeys(missing, "This field is required."))
        return attrs


class PreviewBody(StrictSerializer):
    rule = ChangedRule(required=False)
    rules = fields.ListField(child=RuleBody(), required=False, max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either rule or rules.")
        return attrs


class SampleOut(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    lead_name = serializers.CharField()
    score_before = serializers.IntegerField()
    score_after = serializers.IntegerField()
    rules = RulePart(many=True, help_text="The explanation of the score afterwards.")


class Preview(serializers.Serializer[Any]):
    leads = serializers.IntegerField(help_text="The open leads that you may read.")
    changed = serializers.IntegerField(help_text="How many of them would have another score.")
    hot = serializers.IntegerField(help_text="The score from which a lead is hot.")
    entering = serializers.IntegerField(help_text="How many would become hot.")
    leaving = serializers.IntegerField(help_text="How many would no longer be hot.")
    before = serializers.ListField(child=serializers.IntegerField(), help_text="Leads with 0–9, 10–19, … 90–100.")
    after = serializers.ListField(child=serializers.IntegerField())
    samples = SampleOut(many=True, help_text="Ten whose score would change most.")


class PreviewActions(ViewSet):
    """What would happen if rules were changed."""

    action_permissions: ClassVar[dict[str, str]] = {"preview": "sales.change_leadscoringrule"}

    @extend_schema(request=PreviewBody, responses=Preview)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """What a new rule, a change of one (with its `id`), or another set of `rules` would do to open leads. Managers.

        Considers the leads that you may read.
        """
        preview = scoring_preview.preview_rules(self.caller, _build_rules(self.read_body(PreviewBody)))
        samples = [
            {
                "lead_id": sample.lead.pk,
                "lead_name": str(sample.lead),
                "score_before": sample.score_before,
                "score_after": sample.explanation.score,
                "rules": build_rule_parts(sample.explanation),
            }
            for sample in preview.samples
        ]
        return Response(
            {
                "leads": preview.lead_count,
                "changed": preview.changed,
                "hot": preview.hot_score,
                "entering": preview.becoming_hot,
                "leaving": preview.no_longer_hot,
                "before": preview.histogram_before,
                "after": preview.histogram_after,
                "samples": samples,
            }
        )


def _build_rules(values: dict[str, Any]) -> list[LeadScoringRule]:
    """The rules that the body describes. Raises `NotFound`, `Invalid`."""
    if "rule" in values:
        changes = values["rule"]
        return scoring_preview.get_rules_with_change(changes, changes.pop("id", None))
    rules = [LeadScoringRule(pk=number, **rule_values) for number, rule_values in enumerate(values["rules"], start=1)]
    problems = {
        f"rules.{index}.{name}": problem
        for index, rule in enumerate(rules)
        for name, problem in rule_checks.find_problems(rule_checks.get_values(rule)).items()
    }
    if problems:
        raise errors.Invalid(problems)
    return rules
