"""`/sales/reports`: figures over the people whom the caller may read."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.serializers import StrictSerializer
from sales.api.reports.lead_reports import LeadReportActions
from sales.api.reports.periods import PeriodQuery
from sales.queries.reports.effectiveness import effectiveness
from sales.queries.reports.performance import follow_up_performance


class PersonQuery(PeriodQuery):
    user_id = fields.IdField(required=False)


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


class LiftOut(serializers.Serializer):  # type: ignore[type-arg]
    lift = serializers.FloatField(
        allow_null=True, help_text="How many times as often leads that match are won. Null where no other is won."
    )
    low = serializers.FloatField(help_text="The lower end of the exact 95 % interval.")
    high = serializers.FloatField(allow_null=True, help_text="The upper end. Null where there is no bound.")
    p_value = serializers.FloatField(
        help_text="Of Fisher's exact test: how likely shares at least this different are by chance."
    )


class RuleEffectiveness(serializers.Serializer):  # type: ignore[type-arg]
    rule_id = serializers.IntegerField()
    rule_name = serializers.CharField()
    matches = serializers.IntegerField(help_text="Of the leads that you may read.")
    closed_with = serializers.IntegerField(help_text="Closed leads that match.")
    won_with = serializers.IntegerField()
    share_with = serializers.FloatField(allow_null=True, help_text="Per cent won of the closed leads that match.")
    closed_without = serializers.IntegerField(help_text="Closed leads that do not match.")
    won_without = serializers.IntegerField()
    share_without = serializers.FloatField(allow_null=True, help_text="Per cent won of the others.")
    lift = LiftOut(allow_null=True, help_text="Null where no split of so few leads would tell a difference.")
    verdict = serializers.ChoiceField(["better", "worse", "unclear", "too_few"])


class ReportViewSet(LeadReportActions):
    action_permissions = {
        **LeadReportActions.action_permissions,
        "follow_up_performance": "sales.view_followup",
        "rule_effectiveness": "sales.view_leadscoringrule",
    }

    @extend_schema(parameters=[PersonQuery], responses=Performance)
    @action(detail=False, url_path="follow-up-performance")
    def follow_up_performance(self, request: Request) -> Response:
        """How follow-ups went: one's own for a rep, the team's for a manager, everybody's for an admin."""
        return Response(follow_up_performance(self.caller, **read_query(request, PersonQuery)))

    @extend_schema(responses=RuleEffectiveness(many=True))
    @action(detail=False, url_path="rule-effectiveness")
    def rule_effectiveness(self, request: Request) -> Response:
        """Whether leads that match a rule are won more often than others, of those that you may read. Managers."""
        read_query(request, StrictSerializer)
        return Response(RuleEffectiveness(effectiveness(self.caller), many=True).data)
