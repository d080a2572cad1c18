"""Sales speed: how soon leads are contacted, quoted and booked."""

from typing import Any

from rest_framework import serializers

from sales.queries.reports.speed import SpeedRow, compute_speed
from sales.reports.parameters import TableParameters, build_choice_field
from sales.reports.report import Choice, Endpoint, NumberColumn, Report, ReportChart, Series, write_decimal
from sales.reports.serializers import RowSerializer

BY = Choice("By", {"person": "Person", "source": "Source"})


class SpeedParameters(TableParameters):
    by = build_choice_field(BY.options, BY.default)


class HoursSerializer(serializers.Serializer[Any]):
    reached = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Open leads that have not reached this stage.")
    median_hours = serializers.FloatField(allow_null=True)
    p90_hours = serializers.FloatField(allow_null=True, help_text="Nine of ten leads took no longer.")


class DaysSerializer(serializers.Serializer[Any]):
    reached = serializers.IntegerField()
    waiting = serializers.IntegerField()
    median_days = serializers.FloatField(allow_null=True)
    p90_days = serializers.FloatField(allow_null=True)


class SpeedRowSerializer(RowSerializer):
    leads = serializers.IntegerField()
    first_contact = HoursSerializer()
    quote = DaysSerializer()
    booking = DaysSerializer()


class SpeedReportSerializer(serializers.Serializer[Any]):
    rows = SpeedRowSerializer(many=True)
    totals = SpeedRowSerializer()


SPEED = Report[SpeedRow](
    slug="speed",
    title="Sales speed",
    description="How long it took until leads that came in during the period were contacted, quoted and booked. Half "
    "took no longer than the median, and nine of ten no longer than the 90th percentile. Waiting: open leads that "
    "have not come that far.",
    scope_label="leads owned by",
    compute=compute_speed,
    choices={"by": BY},
    columns=[
        NumberColumn("Leads", lambda row: row.leads),
        NumberColumn("First contact, hours", lambda row: row.first_contact.median_hours, write_decimal),
        NumberColumn("90th percentile", lambda row: row.first_contact.p90_hours, write_decimal),
        NumberColumn("Waiting", lambda row: row.first_contact.waiting),
        NumberColumn("Quote, days", lambda row: row.quote.median_days, write_decimal),
        NumberColumn("90th percentile", lambda row: row.quote.p90_days, write_decimal),
        NumberColumn("Waiting", lambda row: row.quote.waiting),
        NumberColumn("Booking, days", lambda row: row.booking.median_days, write_decimal),
        NumberColumn("90th percentile", lambda row: row.booking.p90_days, write_decimal),
        NumberColumn("Waiting", lambda row: row.booking.waiting),
    ],
    chart=ReportChart(
        title="Time to first contact",
        unit="Hours",
        series=[
            Series("Median", lambda row: row.first_contact.median_hours),
            Series("90th percentile", lambda row: row.first_contact.p90_hours),
        ],
    ),
    endpoint=Endpoint(
        description="How soon the leads that came in during the period were contacted, quoted and booked. For "
        "managers.",
        parameters=SpeedParameters,
        response=SpeedReportSerializer,
    ),
)
