"""Source ROI: what each source, channel or campaign brings and costs."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from athena.formatting import format_money, format_percent
from sales.queries.reports.source_roi import SourceRoiRow, compute_source_roi
from sales.reports.parameters import TableParameters, build_choice_field
from sales.reports.report import Choice, Endpoint, Number, NumberColumn, Report, ReportChart, Series, write_decimal
from sales.reports.serializers import RowSerializer

BY = Choice("By", {"source": "Source", "channel": "Channel", "campaign": "Campaign"})
COHORT = Choice("Leads", {"created": "Came in", "trip": "Travel"})


class SourceRoiParameters(TableParameters):
    by = build_choice_field(BY.options, BY.default)
    cohort = build_choice_field(COHORT.options, COHORT.default)


class SourceRoiRowSerializer(RowSerializer):
    leads = serializers.IntegerField()
    qualified = serializers.IntegerField(help_text="Leads that ever were qualified, whatever became of them.")
    quoted = serializers.IntegerField(help_text="Leads that ever had a quote.")
    won = serializers.IntegerField(help_text="Leads that ever were won.")
    qualified_rate = serializers.FloatField(allow_null=True, help_text="Percentage of the leads, two decimals.")
    quoted_rate = serializers.FloatField(allow_null=True)
    won_rate = serializers.FloatField(allow_null=True)
    booked_revenue = serializers.FloatField()
    spend = serializers.FloatField()
    cost_per_lead = serializers.FloatField(allow_null=True)
    cost_per_booking = serializers.FloatField(allow_null=True)
    roi = serializers.FloatField(allow_null=True, help_text="(booked_revenue - spend) / spend; null without spend.")
    median_days_to_booking = serializers.FloatField(allow_null=True)


class SourceRoiReportSerializer(serializers.Serializer[Any]):
    rows = SourceRoiRowSerializer(many=True)
    totals = SourceRoiRowSerializer()


def write_roi(roi: Number) -> str:
    return format_percent(float(roi) * 100)


def build_file_row(row: SourceRoiRow) -> dict[str, Any]:
    """A row of the page's file: the ROI as a percentage, like the page's other rates; programs get a ratio."""
    percent = None if row.roi is None else round(row.roi * 100, 2)
    return {
        "roi_percent" if name == "roi" else name: percent if name == "roi" else value
        for name, value in asdict(row).items()
    }


SOURCE_ROI = Report[SourceRoiRow](
    slug="source-roi",
    title="Source ROI",
    description="Leads that came in (or travel) during the period, and how many of them ever were qualified, quoted "
    "and won. Booked revenue is that of the leads that are won now. Spend is the company's; a month that is only "
    "partly in the period counts by days. ROI = (revenue − spend) ÷ spend.",
    scope_label="leads owned by",
    compute=compute_source_roi,
    choices={"by": BY, "cohort": COHORT},
    columns=[
        NumberColumn("Leads", lambda row: row.leads),
        NumberColumn("Qualified", lambda row: row.qualified),
        NumberColumn("Quoted", lambda row: row.quoted),
        NumberColumn("Won", lambda row: row.won),
        NumberColumn("Win rate", lambda row: row.won_rate, format_percent),
        NumberColumn("Revenue", lambda row: row.booked_revenue, format_money),
        NumberColumn("Spend", lambda row: row.spend, format_money, is_company_only=True),
        NumberColumn("Cost per lead", lambda row: row.cost_per_lead, format_money, is_company_only=True),
        NumberColumn("Cost per booking", lambda row: row.cost_per_booking, format_money, is_company_only=True),
        NumberColumn("ROI", lambda row: row.roi, write_roi, is_company_only=True),
        NumberColumn("Days to booking", lambda row: row.median_days_to_booking, write_decimal),
    ],
    chart=ReportChart(
        unit="Amount",
        series=[
            Series("Booked revenue", lambda row: row.booked_revenue),
            Series("Spend", lambda row: row.spend, is_company_only=True),
        ],
        write=format_money,
    ),
    endpoint=Endpoint(
        description="What each source brings and costs. The rows add up to the totals. For managers, about the leads "
        "that they may read.",
        parameters=SourceRoiParameters,
        response=SourceRoiReportSerializer,
    ),
    narrow_scope_note="Spend is the company's. Nobody knows which part of it brought these leads, so there is no "
    "spend, cost or ROI for a team or a person.",
    build_file_row=build_file_row,
)
