"""Lost leads: why leads are lost, where they came from, and what they were worth."""

from typing import Any

from rest_framework import serializers

from athena.formatting import format_money, format_percent
from sales.queries.reports.losses import LossRow, compute_losses
from sales.reports.parameters import TableParameters, build_choice_field
from sales.reports.report import Choice, Endpoint, NumberColumn, Report, ReportChart, Series, write_decimal
from sales.reports.serializers import RowSerializer

BY = Choice("By", {"reason": "Reason", "source": "Source", "value": "Value"})


class LossesParameters(TableParameters):
    by = build_choice_field(BY.options, BY.default)


class LossRowSerializer(RowSerializer):
    lost = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Percentage of all lost leads.")
    quoted = serializers.IntegerField(help_text="Leads that had a quote.")
    value = serializers.FloatField(help_text="Quotes, or the estimated value of leads without a quote.")
    unvalued = serializers.IntegerField(help_text="Leads that have neither a quote nor an estimated value.")
    median_days_to_loss = serializers.FloatField(allow_null=True)


class LossesReportSerializer(serializers.Serializer[Any]):
    rows = LossRowSerializer(many=True)
    totals = LossRowSerializer()


LOSSES = Report[LossRow](
    slug="losses",
    title="Lost leads",
    description="Leads that were lost in the period and not reopened since. The value of a lead is its quote or, "
    "without a quote, its estimated value.",
    scope_label="leads owned by",
    compute=compute_losses,
    choices={"by": BY},
    columns=[
        NumberColumn("Lost", lambda row: row.lost),
        NumberColumn("Share", lambda row: row.share, format_percent),
        NumberColumn("With a quote", lambda row: row.quoted),
        NumberColumn("Value", lambda row: row.value, format_money),
        NumberColumn("Without a value", lambda row: row.unvalued),
        NumberColumn("Days until lost", lambda row: row.median_days_to_loss, write_decimal),
    ],
    chart=ReportChart(title="Lost leads", unit="Leads", series=[Series("Lost", lambda row: row.lost)]),
    endpoint=Endpoint(
        description="Why leads were lost in the period, which sources they came from, and what they were worth. For "
        "managers.",
        parameters=LossesParameters,
        response=LossesReportSerializer,
    ),
)
