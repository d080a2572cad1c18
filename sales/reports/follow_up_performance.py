"""Follow-up performance: how many follow-ups are completed, and how many on time."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from athena.accounts.models import User
from athena.api import fields
from athena.formatting import format_percent
from sales.queries.reports.follow_up_performance import (
    FollowUpRow,
    compute_follow_up_performance,
    compute_follow_up_table,
)
from sales.reports.parameters import PeriodParameters
from sales.reports.report import Choice, Endpoint, NumberColumn, Report, ReportChart, Series


class FollowUpPerformanceParameters(PeriodParameters):
    user_id = fields.IdField(required=False)


class FollowUpCountsSerializer(serializers.Serializer[Any]):
    completed = serializers.IntegerField()
    pending = serializers.IntegerField()
    overdue = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    completion_rate = serializers.FloatField(help_text="Percentage, two decimals.")
    on_time_rate = serializers.FloatField(help_text="Percentage of the completed follow-ups.")


class UserFollowUpsSerializer(FollowUpCountsSerializer):
    user_id = serializers.IntegerField()
    full_name = serializers.CharField()
    total = serializers.IntegerField()


class TypeFollowUpsSerializer(FollowUpCountsSerializer):
    follow_up_type = serializers.CharField()
    total = serializers.IntegerField()


class FollowUpPerformanceSerializer(FollowUpCountsSerializer):
    total_follow_ups = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    by_user = UserFollowUpsSerializer(many=True)
    by_type = TypeFollowUpsSerializer(many=True)


def respond(user: User, params: Mapping[str, Any]) -> dict[str, Any]:
    return compute_follow_up_performance(user, **params)


FOLLOW_UP_PERFORMANCE = Report[FollowUpRow](
    slug="follow-up-performance",
    title="Follow-up performance",
    description="Follow-ups planned for the period. Overdue: pending, and their day is over. On time: completed on or "
    "before the day that was first planned, as a percentage of the completed ones. Canceled follow-ups count in no "
    "other column.",
    scope_label="follow-ups assigned to",
    compute=compute_follow_up_table,
    choices={"by": Choice("By", {"person": "Person", "type": "Type", "outcome": "Outcome"})},
    columns=[
        NumberColumn("Planned", lambda row: row.total),
        NumberColumn("Completed", lambda row: row.completed),
        NumberColumn("Pending", lambda row: row.pending),
        NumberColumn("Overdue", lambda row: row.overdue),
        NumberColumn("Completion rate", lambda row: row.completion_rate, format_percent),
        NumberColumn("On time", lambda row: row.on_time_rate, format_percent),
        NumberColumn("Canceled", lambda row: row.cancelled),
    ],
    chart=ReportChart(
        title="Completed and overdue follow-ups",
        unit="Follow-ups",
        series=[
            Series("Completed", lambda row: row.completed),
            Series("Overdue", lambda row: row.overdue),
        ],
    ),
    endpoint=Endpoint(
        description="How follow-ups went: a salesperson's own, the team's for a manager, everybody's for an "
        "administrator.",
        parameters=FollowUpPerformanceParameters,
        response=FollowUpPerformanceSerializer,
        permission="sales.view_followup",
        respond=respond,
    ),
)
