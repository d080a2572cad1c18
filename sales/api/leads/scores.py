"""The scores of leads and their explanation, mixed into `/sales/leads`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.pagination import ARRAY_PARAMETERS, ARRAY_SCHEMA, array_response
from athena.api.serializers import Row, StrictSerializer
from athena.api.viewsets import ViewSet
from sales.models import Lead, LeadScoreHistory
from sales.queries.scoring.score_history import find_score_at
from sales.scoring import explanations
from sales.scoring.compiler import CompiledRule
from sales.services.scoring import scores


class NewScore(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    score = serializers.IntegerField()
    updated_at = serializers.DateTimeField(allow_null=True, help_text="When the score last changed.")


class ScoreChange(Row):
    old_score = serializers.IntegerField()
    new_score = serializers.IntegerField()
    points_changed = serializers.IntegerField()
    reason = serializers.CharField()
    changed_at = serializers.DateTimeField()
    run_id = serializers.IntegerField(allow_null=True)
    user_id = serializers.IntegerField(allow_null=True)
    activity_id = serializers.IntegerField(allow_null=True)


class ScoreHistory(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    history = ScoreChange(many=True)
    score_at = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="Only with `at`: the score at the end of that day; null before the lead was created.",
    )


class ScoreHistoryQuery(StrictSerializer):
    at = fields.DateField(required=False, help_text="A date in the company's time zone.")


class HighScoreQuery(StrictSerializer):
    min_score = fields.IntegerField(
        min_value=0, max_value=100, required=False, help_text="Default: the score from which a lead is hot."
    )


class HotLead(Row):
    id = serializers.IntegerField()
    company_name = serializers.CharField()
    contact_name = serializers.CharField()
    score = serializers.IntegerField()
    estimated_value = serializers.FloatField(help_text="0 if unknown.")
    status = serializers.ChoiceField(Lead.Status.choices)
    assigned_to = serializers.IntegerField(allow_null=True)
    next_follow_up = serializers.DateTimeField(allow_null=True)

    class Meta:
        expressions: ClassVar[Mapping[str, Any]] = {"next_follow_up": "next_follow_up_date"}


class RulePart(serializers.Serializer[Any]):
    rule_id = serializers.IntegerField()
    rule_name = serializers.CharField()
    condition = serializers.CharField(help_text="The rule's condition, for people.")
    points = serializers.IntegerField(
        help_text="The points of a matching rule, after half-life and group; the points that another rule would give."
    )
    matched = serializers.BooleanField()
    value = serializers.JSONField(help_text="The value that the rule compared.")  # type: ignore[assignment]


class Explanation(serializers.Serializer[Any]):
    score = serializers.IntegerField(help_text="The sum of the points of the matching rules, limited to 0 to 100.")
    raw_points = serializers.IntegerField()
    stored_score = serializers.IntegerField(help_text="The lead's stored score. A closed lead keeps its score.")
    rules = RulePart(many=True)
    calculated_at = serializers.DateTimeField()


def build_rule_parts(why: explanations.Explanation) -> list[dict[str, Any]]:
    """What each rule gave, as `RulePart` has it."""
    names: list[str] = list(RulePart().fields)
    return [{name: getattr(line, name) for name in names} for line in why.rules]


class ScoreActions(ViewSet):
    """For a viewset whose `get_queryset()` returns the leads that the caller may see."""

    action_permissions = {"calculate_score": "sales.change_lead", "score_history": "sales.view_leadscorehistory"}

    @extend_schema(request=None, responses=NewScore)
    @action(detail=True, methods=["post"], url_path="calculate-score")
    def calculate_score(self, request: Request, pk: str) -> Response:
        """Recalculate a lead's score now. Only its owner or a manager may. A closed lead keeps its score."""
        self.read_body(StrictSerializer)
        lead = scores.recalculate_lead(by=self.caller, lead_id=self.pk)
        return Response({"lead_id": lead.pk, "score": lead.score, "updated_at": lead.score_updated_at})

    @extend_schema(responses=Explanation)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def score(self, request: Request, pk: str) -> Response:
        """Explain the score: what each active rule compares and gives, as of now."""
        read_query(request, StrictSerializer)
        lead = self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk", "score"))
        why = explanations.explain_score(CompiledRule.load_active(), lead["pk"], timezone.now())
        return Response(
            {
                "score": why.score,
                "raw_points": why.raw_points,
                "stored_score": lead["score"],
                "rules": build_rule_parts(why),
                "calculated_at": why.calculated_at,
            }
        )

    @extend_schema(parameters=[ScoreHistoryQuery, *ARRAY_SCHEMA], responses=ScoreHistory)
    @action(detail=True, url_path="score-history", filterset_class=None, pagination_class=None)
    def score_history(self, request: Request, pk: str) -> Response:
        """List all changes of the score, newest first. `at` adds the score of that day."""
        query = read_query(request, ScoreHistoryQuery, ARRAY_PARAMETERS)
        lead = self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        history = LeadScoreHistory.objects.filter(lead=lead["pk"]).order_by("-changed_at", "-id")
        answer = array_response(request, ScoreChange.read(history))
        answer.data = {"lead_id": lead["pk"], "history": answer.data}
        if "at" in query:
            answer.data["score_at"] = find_score_at(lead["pk"], query["at"])
        return answer

    @extend_schema(parameters=[HighScoreQuery, *ARRAY_SCHEMA], responses=HotLead(many=True))
    @action(detail=False, url_path="high-score", filterset_class=None, pagination_class=None)
    def high_score(self, request: Request) -> Response:
        """List the open leads with the highest scores, highest first. `limit` is 20 by default and at most 200."""
        query = read_query(request, HighScoreQuery, ARRAY_PARAMETERS)
        min_score = query.get("min_score", settings.HOT_SCORE)
        leads = Lead.objects.visible_to(self.caller).open().filter(score__gte=min_score)
        answer = array_response(request, HotLead.read(leads.order_by("-score", "-id")), default_limit=20)
        answer.data = [{**row, "estimated_value": row["estimated_value"] or 0} for row in answer.data]
        return answer
