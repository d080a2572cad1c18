"""`/sales/reports`: one route for each report of the registry."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.accounts.models import User
from athena.api.filters import read_query
from athena.api.viewsets import ActionViewSet
from athena.http.csv_responses import csv_response, list_columns
from sales.reports.parameters import get_period
from sales.reports.registry import REPORTS
from sales.reports.report import Report

View = Callable[[ActionViewSet, Request], Response | HttpResponse]


class ReportViewSet(ActionViewSet):
    """Has an action for each report, named `Report.name`; they are added below."""

    action_permissions = {report.name: report.endpoint.permission for report in REPORTS.values()}


def _build_action(report: Report[Any]) -> View:
    def get_report(view: ActionViewSet, request: Request) -> Response | HttpResponse:
        params = read_query(request, report.endpoint.parameters)
        if report.endpoint.respond is not None:
            return Response(report.endpoint.respond(view.caller, params))
        return _respond_with_table(report, view.caller, params)

    get_report.__name__, get_report.__doc__ = report.name, report.endpoint.description
    response: Any = report.endpoint.response
    if report.endpoint.respond is None:
        response = {(200, "application/json"): response, (200, "text/csv"): OpenApiTypes.STR}
    parameters = report.endpoint.parameters
    describe = extend_schema(parameters=[parameters] if parameters().fields else [], responses=response)
    return describe(action(detail=False, url_path=report.slug)(get_report))


def _respond_with_table(report: Report[Any], user: User, params: Mapping[str, Any]) -> Response | HttpResponse:
    """The report as JSON, or its rows and totals as a CSV file."""
    choices = {name: params[name] for name in report.choices}
    table = report.compute(user, get_period(params), **choices).to_dict()
    if params["format"] == "json":
        return Response(table)
    rows = [*table["rows"], table["totals"]]
    return csv_response(report.build_file_name(choices), list_columns(table["totals"]), rows)


for _report in REPORTS.values():
    setattr(ReportViewSet, _report.name, _build_action(_report))
