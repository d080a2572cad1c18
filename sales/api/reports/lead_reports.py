"""What sources earn, how fast sales go, why leads are lost: mixed into `/sales/reports`."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.viewsets import ActionViewSet
from athena.http.csv_responses import csv_response, list_columns
from sales.api.reports.periods import PeriodQuery
from sales.queries.reports import losses, source_roi, speed
from sales.queries.reports.period import Period


def _choice(names: Any, default: str) -> fields.ChoiceField:
    return fields.ChoiceField(choices=[(name, name) for name in names], required=False, default=default)


class TableQuery(PeriodQuery):
    format = _choice(("json", "csv"), "json")


class RoiQuery(TableQuery):
    by = _choice(source_roi.BY, "source")
    cohort = _choice(source_roi.COHORTS, "created")


class SpeedQuery(TableQuery):
    by = _choice(speed.BY, "person")


class LossesQuery(TableQuery):
    by = _choice(losses.BY, "reason")


class Line(serializers.Serializer):  # type: ignore[type-arg]
    key = serializers.JSONField(allow_null=True, help_text="The source's or person's id, or the name; null for none.")
    name = serializers.CharField()


class RoiLine(Line):
    leads = serializers.IntegerField()
    qualified = serializers.IntegerField(help_text="Ever, whatever became of them.")
    quoted = serializers.IntegerField(help_text="Ever.")
    won = serializers.IntegerField(help_text="Ever.")
    qualified_rate = serializers.FloatField(allow_null=True, help_text="Per cent of the leads, two decimals.")
    quoted_rate = serializers.FloatField(allow_null=True)
    won_rate = serializers.FloatField(allow_null=True)
    booked_revenue = serializers.FloatField()
    spend = serializers.FloatField()
    cost_per_lead = serializers.FloatField(allow_null=True)
    cost_per_booking = serializers.FloatField(allow_null=True)
    roi = serializers.FloatField(allow_null=True, help_text="(booked_revenue - spend) / spend; null without spend.")
    median_days_to_booking = serializers.FloatField(allow_null=True)


class RoiReport(serializers.Serializer):  # type: ignore[type-arg]
    rows = RoiLine(many=True)
    totals = RoiLine()


class Hours(serializers.Serializer):  # type: ignore[type-arg]
    reached = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Open leads that have not come so far.")
    median_hours = serializers.FloatField(allow_null=True)
    p90_hours = serializers.FloatField(allow_null=True, help_text="Nine of ten took no longer.")


class Days(serializers.Serializer):  # type: ignore[type-arg]
    reached = serializers.IntegerField()
    waiting = serializers.IntegerField()
    median_days = serializers.FloatField(allow_null=True)
    p90_days = serializers.FloatField(allow_null=True)


class SpeedLine(Line):
    leads = serializers.IntegerField()
    first_contact = Hours()
    quote = Days()
    booking = Days()


class SpeedReport(serializers.Serializer):  # type: ignore[type-arg]
    rows = SpeedLine(many=True)
    totals = SpeedLine()


class LossLine(Line):
    lost = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Per cent of all losses.")
    quoted = serializers.IntegerField()
    value = serializers.FloatField(help_text="What was quoted, or else expected.")
    unvalued = serializers.IntegerField(help_text="Leads of which no value is known.")
    median_days_to_loss = serializers.FloatField(allow_null=True)


class LossesReport(serializers.Serializer):  # type: ignore[type-arg]
    rows = LossLine(many=True)
    totals = LossLine()


def _either(report: type[serializers.Serializer[Any]]) -> dict[tuple[int, str], Any]:
    """What a report answers: itself, or its lines as a file."""
    return {(200, "application/json"): report, (200, "text/csv"): OpenApiTypes.STR}


class LeadReportActions(ActionViewSet):
    action_permissions: ClassVar[dict[str, str]] = dict.fromkeys(("source_roi", "speed", "losses"), "sales.report_lead")

    @extend_schema(parameters=[RoiQuery], responses=_either(RoiReport))
    @action(detail=False, url_path="source-roi")
    def source_roi(self, request: Request) -> Any:
        """What each source brings and costs; the rows add up to the totals. Managers, of the leads in their scope."""
        query = read_query(request, RoiQuery)
        return _answer(
            query,
            source_roi.source_roi(self.caller, _period(query), by=query["by"], cohort=query["cohort"]),
            f"roi-by-{query['by']}",
        )

    @extend_schema(parameters=[SpeedQuery], responses=_either(SpeedReport))
    @action(detail=False)
    def speed(self, request: Request) -> Any:
        """How soon leads taken in in the period were contacted, quoted and booked. Managers."""
        query = read_query(request, SpeedQuery)
        return _answer(query, speed.speed(self.caller, _period(query), by=query["by"]), f"speed-by-{query['by']}")

    @extend_schema(parameters=[LossesQuery], responses=_either(LossesReport))
    @action(detail=False)
    def losses(self, request: Request) -> Any:
        """Why leads were lost in the period, from which sources, and what they were worth. Managers."""
        query = read_query(request, LossesQuery)
        return _answer(query, losses.losses(self.caller, _period(query), by=query["by"]), f"losses-by-{query['by']}")


def _period(query: dict[str, Any]) -> Period:
    return Period(query.get("start_date"), query.get("end_date"))


def _answer(query: dict[str, Any], report: dict[str, Any], name: str) -> Response | HttpResponse:
    """The report as JSON, or its rows and totals as a CSV file."""
    if query["format"] == "json":
        return Response(report)
    return csv_response(name, list_columns(report["totals"]), [*report["rows"], report["totals"]])
