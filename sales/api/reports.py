"""`/sales/reports`: figures over the people whom the caller may read."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.http import fields
from athena.http.filters import query_values
from athena.http.serializers import StrictSerializer
from athena.http.viewsets import VerbViewSet
from sales.queries.performance import follow_up_performance

LONGEST_PERIOD = timedelta(days=5 * 366)


class Period(StrictSerializer):
    user_id = fields.IdField(required=False)
    start_date = fields.DateField(required=False)
    end_date = fields.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_date"), attrs.get("end_date")
        if start and end and end < start:
            raise serializers.ValidationError({"end_date": "The end is before the start."})
        if start and end and end - start > LONGEST_PERIOD:
            raise serializers.ValidationError({"end_date": "A report covers five years at most."})
        return attrs


class Figures(serializers.Serializer):  # type: ignore[type-arg]
    completed = serializers.IntegerField()
    pending = serializers.IntegerField()
    overdue = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    completion_rate = serializers.FloatField(help_text="Per cent, two decimals.")
    on_time_rate = serializers.FloatField(help_text="Per cent of the completed ones.")


class FiguresOfUser(Figures):
    user_id = serializers.IntegerField()
    full_name = serializers.CharField()
    total = serializers.IntegerField()


class FiguresOfType(Figures):
    follow_up_type = serializers.CharField()
    total = serializers.IntegerField()


class Performance(Figures):
    total_follow_ups = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    by_user = FiguresOfUser(many=True)
    by_type = FiguresOfType(many=True)


class ReportViewSet(VerbViewSet):
    rights = {"follow_up_performance": "sales.view_followup"}

    @extend_schema(parameters=[Period], responses=Performance)
    @action(detail=False, url_path="follow-up-performance")
    def follow_up_performance(self, request: Request) -> Response:
        """How follow-ups went: one's own for a rep, the team's for a manager, everybody's for an admin."""
        return Response(follow_up_performance(self.caller, **query_values(request, Period)))
