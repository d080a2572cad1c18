"""`/sales/scoring`: the rules, the fields that they can compare, and the runs that score all leads."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import filters
from athena.api.filters import read_query
from athena.api.pagination import ARRAY_PARAMETERS, ARRAY_SCHEMA, array_response
from athena.api.serializers import StrictSerializer
from athena.api.viewsets import ActionViewSet, ViewSet
from sales.api.scoring.scoring_preview import PreviewActions
from sales.api.serializers.scoring_rules import (
    NewRule,
    Recalculation,
    Rule,
    RuleBody,
    RuleField,
    RuleRow,
    RunRow,
)
from sales.models import LeadScoringRule, ScoringRun
from sales.queries.scoring import equal_rules, run_progress
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS
from sales.services.scoring import scoring_rules, scoring_runs


class RunFilters(filters.StrictFilterSet):
    state = filters.ChoicesFilter(choices=ScoringRun.State.choices)


def _build_warnings(equal_rule_names: Sequence[str]) -> list[dict[str, str]]:
    """The warnings about a rule, given the names of the rules with the same condition."""
    if not equal_rule_names:
        return []
    return [{"code": "same_condition", "message": equal_rules.format_warning(equal_rule_names)}]


class ScoringRuleViewSet(PreviewActions, ViewSet):
    queryset = LeadScoringRule.objects.none()
    row = RuleRow
    detail_row = Rule
    pagination_class = None

    def get_queryset(self) -> "QuerySet[LeadScoringRule]":
        return LeadScoringRule.objects.order_by("-points", "id")

    def add_details(self, row: dict[str, Any]) -> dict[str, Any]:
        return self._add_problems_and_warnings([row])[0]

    def _add_problems_and_warnings(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        equal_names = equal_rules.find_equal_rules()
        return [
            {
                **row,
                "problems": rule_checks.find_problems(row),
                "warnings": _build_warnings(equal_names.get(row["id"], ())),
            }
            for row in rows
        ]

    @extend_schema(parameters=ARRAY_SCHEMA, responses=Rule(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every rule, most points first. Managers."""
        read_query(request, StrictSerializer, ARRAY_PARAMETERS)
        answer = array_response(request, self.rows())
        answer.data = self._add_problems_and_warnings(answer.data)
        return answer

    @extend_schema(responses=Rule)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One rule. Managers."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=RuleBody, responses={201: NewRule})
    def create(self, request: Request) -> Response:
        """Add a rule, and have all open leads scored again. Field, operator and value must fit together. Managers."""
        rule = scoring_rules.create_rule(by=self.caller, values=self.read_body(RuleBody))
        row = self.add_details(RuleRow.of(rule))
        return Response({"rule_id": rule.pk, **row}, status=status.HTTP_201_CREATED)

    @extend_schema(request=RuleBody, responses=Rule)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a rule, and have all open leads scored again. Managers."""
        changes = self.read_body(RuleBody, partial=True)
        rule = scoring_rules.update_rule(by=self.caller, rule_id=self.pk, changes=changes, versions=self.if_match)
        return Response(self.add_details(RuleRow.of(rule)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a rule, and have all open leads scored again. Managers."""
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
        """The scoring runs, newest first. Counts are of the leads that you may read. Managers."""
        answer = super().list(request, *args, **kwargs)
        answer.data["results"] = self._add_visible_counts(answer.data["results"])
        return answer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One scoring run. Counts are of the leads that you may read. Managers."""
        answer = super().retrieve(request, *args, **kwargs)
        (run,) = self._add_visible_counts([answer.data])
        return Response(run)

    def _add_visible_counts(self, runs: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        counts = run_progress.count_visible_progress(self.caller, runs)
        return [{**run, **counts[run["id"]]} for run in runs]


class ScoringViewSet(ActionViewSet):
    action_permissions = {"fields": "sales.view_leadscoringrule", "recalculate_all": "sales.add_scoringrun"}

    @extend_schema(responses=RuleField(many=True))
    @action(detail=False)
    def fields(self, request: Request) -> Response:
        """The fields that a rule can compare. Managers."""
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
        """Have all open leads scored again, in the background. Managers.

        If a run is under way already, this returns it.
        """
        self.read_body(StrictSerializer)
        run = scoring_runs.start_run(by=self.caller, reason="Bulk recalculation")
        count = run_progress.count_visible_leads(self.caller, run)
        answer = {"message": f"Recalculating the scores of {count} leads", "count": count, "run_id": run.pk}
        return Response(answer, status=status.HTTP_202_ACCEPTED)
