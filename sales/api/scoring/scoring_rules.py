"""`/sales/scoring`: the rules, what they may ask, and the runs that apply them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import filters
from athena.api.filters import read_query
from athena.api.pagination import ARRAY_PARAMETERS, ARRAY_SCHEMA, array_response
from athena.api.serializers import Row, StrictSerializer
from athena.api.viewsets import ActionViewSet, ViewSet
from sales.api.scoring.scoring_preview import PreviewActions
from sales.api.serializers.scoring_rules import NewRule, Rule, RuleBody, RuleRow
from sales.models import LeadScoringRule, ScoringRun
from sales.queries.scoring import equal_rules, run_progress
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, ValueType
from sales.services.scoring import scoring_rules, scoring_runs


class Choice(serializers.Serializer):  # type: ignore[type-arg]
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class RuleField(serializers.Serializer):  # type: ignore[type-arg]
    field = serializers.CharField()
    rule_type = serializers.ChoiceField(LeadScoringRule.Type.choices)
    value_type = serializers.ChoiceField([each.value for each in ValueType])
    description = serializers.CharField()
    operators = serializers.ListField(child=serializers.ChoiceField(LeadScoringRule.Operator.choices))
    choices = Choice(many=True)
    timed = serializers.BooleanField(help_text="Whether it takes within_days and half_life_days.")


class RunRow(Row):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(ScoringRun.State.choices)
    reason = serializers.CharField()
    processed = serializers.IntegerField(help_text="As `total`: how many of them the run has gone over.")
    total = serializers.IntegerField(help_text="Of the leads that you may read; so are the other two counts.")
    changed = serializers.IntegerField(help_text="How many got another score.")
    rule_set_version = serializers.IntegerField()
    started_by = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class Recalculation(serializers.Serializer):  # type: ignore[type-arg]
    message = serializers.CharField()
    count = serializers.IntegerField(help_text="How many of the leads that you may read the run goes over.")
    run_id = serializers.IntegerField()


class RunFilters(filters.StrictFilterSet):
    state = filters.ChoicesFilter(choices=ScoringRun.State.choices)


def _warnings(equal_names: list[str] | None) -> list[dict[str, str]]:
    """What is worth a second look about a rule, given the names of those with the same condition."""
    return [{"code": "same_condition", "message": equal_rules.format_warning(equal_names)}] if equal_names else []


class ScoringRuleViewSet(PreviewActions, ViewSet):
    queryset = LeadScoringRule.objects.none()
    row = RuleRow
    detail_row = Rule
    pagination_class = None

    def get_queryset(self) -> "QuerySet[LeadScoringRule]":
        return LeadScoringRule.objects.order_by("-points", "id")

    def add_details(self, row: dict[str, Any]) -> dict[str, Any]:
        return self._explained([row])[0]

    def _explained(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """With why a rule is skipped, if it is, and what is worth a second look."""
        equal = equal_rules.find_equal_rules()
        return [
            {**row, "problems": rule_checks.find_problems(row), "warnings": _warnings(equal.get(row["id"]))}
            for row in rows
        ]

    @extend_schema(parameters=ARRAY_SCHEMA, responses=Rule(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every rule, most points first. Managers."""
        read_query(request, StrictSerializer, ARRAY_PARAMETERS)
        answer = array_response(request, self.rows())
        answer.data = self._explained(answer.data)
        return answer

    @extend_schema(responses=Rule)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One rule. Managers."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=RuleBody, responses={201: NewRule})
    def create(self, request: Request) -> Response:
        """Add a rule, and have all leads scored anew. Field, operator and value must suit each other. Managers."""
        rule = scoring_rules.create_rule(by=self.caller, values=self.read_body(RuleBody))
        row = self.add_details(RuleRow.of(rule))
        return Response({"rule_id": rule.pk, **row}, status=status.HTTP_201_CREATED)

    @extend_schema(request=RuleBody, responses=Rule)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a rule, and have all leads scored anew. Managers."""
        changes = self.read_body(RuleBody, partial=True)
        rule = scoring_rules.update_rule(by=self.caller, rule_id=self.pk, changes=changes, versions=self.if_match)
        return Response(self.add_details(RuleRow.of(rule)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a rule, and have all leads scored anew. Managers."""
        scoring_rules.delete_rule(by=self.caller, rule_id=self.pk, versions=self.if_match)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ScoringRunViewSet(ViewSet):
    queryset = ScoringRun.objects.none()
    row = RunRow
    filterset_class = RunFilters
    orderings: ClassVar[dict[str, str]] = {"id": "id"}
    default_ordering = "-id"

    def get_queryset(self) -> "QuerySet[ScoringRun]":
        return ScoringRun.objects.all()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The runs, newest first. Counts are of the leads that you may read. Managers."""
        answer = super().list(request, *args, **kwargs)
        answer.data["results"] = self._counted(answer.data["results"])
        return answer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One run. Counts are of the leads that you may read. Managers."""
        answer = super().retrieve(request, *args, **kwargs)
        (run,) = self._counted([answer.data])
        return Response(run)

    def _counted(self, runs: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        counts = run_progress.count_visible_progress(self.caller, runs)
        return [{**run, **counts[run["id"]]} for run in runs]


class ScoringViewSet(ActionViewSet):
    action_permissions = {"fields": "sales.view_leadscoringrule", "recalculate_all": "sales.add_scoringrun"}

    @extend_schema(responses=RuleField(many=True))
    @action(detail=False)
    def fields(self, request: Request) -> Response:
        """What a rule may ask. Managers."""
        read_query(request, StrictSerializer)
        return Response(
            [
                {
                    "field": field.name,
                    "rule_type": field.rule_type,
                    "value_type": field.value_type,
                    "description": field.description,
                    "operators": field.operators,
                    "choices": [{"value": value, "label": label} for value, label in field.choices],
                    "timed": field.is_timed,
                }
                for field in FIELDS.values()
            ]
        )

    @extend_schema(request=None, responses={202: Recalculation})
    @action(detail=False, methods=["post"], url_path="recalculate-all")
    def recalculate_all(self, request: Request) -> Response:
        """Have all open leads scored anew, in the background; while a run is on, that is the answer. Managers."""
        self.read_body(StrictSerializer)
        run = scoring_runs.start_run(by=self.caller, reason="Bulk recalculation")
        count = run_progress.count_visible_leads(self.caller, run)
        answer = {"message": f"Recalculating the scores of {count} leads", "count": count, "run_id": run.pk}
        return Response(answer, status=status.HTTP_202_ACCEPTED)
