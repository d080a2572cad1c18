"""The pages of the reports, `/admin/reports/<slug>/`: a form, a chart, a table and a CSV file. For managers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse

from athena.admin.requests import get_user
from athena.admin.site import AthenaSite
from athena.http.csv_responses import csv_response, list_columns
from sales import policy
from sales.admin.reports.charts import Chart, build_bar_chart
from sales.admin.reports.report_form import ReportForm
from sales.models import Lead
from sales.queries.reports.scope import Scope
from sales.queries.reports.table import ReportRow, ReportTable
from sales.reports.registry import REPORTS
from sales.reports.report import Cell, Column, Report
from sales.schedule import company_today

MAX_CHART_ROWS = 12
# The slugs in the addresses that the pages had before.
FORMER_SLUGS = {
    "performance": "follow-up-performance",
    "roi": "source-roi",
    "speed": "speed",
    "losses": "losses",
    "effectiveness": "rule-effectiveness",
}


@dataclass(frozen=True)
class TableRow:
    """A row of the page's table. `page` is the address of the page about it, if there is one."""

    name: str
    page: str
    cells: list[Cell]


def show_report(request: HttpRequest, slug: str) -> HttpResponse:
    """A report on what the manager may read: its page or, with `format=csv`, its file."""
    if not policy.may_read_reports(get_user(request)):
        raise PermissionDenied
    report = REPORTS.get(slug)
    if report is None:
        raise Http404
    form = ReportForm(get_user(request), report.choices, request.GET)
    context = {
        **admin.site.each_context(request),
        "title": report.title,
        "report": report,
        "opts": Lead._meta,
        "form": form,
        "periods": _list_periods(request.GET),
        "csv_query": _change_query(request.GET, format="csv"),
    }
    if form.is_valid():
        table = report.compute(get_user(request), form.period, form.scope, **form.chosen_options)
        if request.GET.get("format") == "csv":
            rows = [report.build_file_row(row) for row in (*table.rows, table.totals)]
            return csv_response(report.build_file_name(form.chosen_options), list_columns(rows[-1]), rows)
        context |= _build_table_context(report, form, table)
    return TemplateResponse(request, "admin/sales/report.html", context)


def redirect_former_address(request: HttpRequest, former_slug: str) -> HttpResponse:
    """Redirect `/admin/sales/leadsource/reports/<former slug>/`, with its query."""
    if former_slug not in FORMER_SLUGS:
        raise Http404
    query = request.META["QUERY_STRING"]
    address = reverse("admin:report", args=[FORMER_SLUGS[former_slug]])
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


def _change_query(params: QueryDict, **changes: str) -> str:
    """The query string of an address with these changes; empty parameters are left out."""
    return urlencode({name: value for name, value in {**params.dict(), **changes}.items() if value})


@dataclass(frozen=True)
class PeriodLink:
    label: str
    query: str
    is_current: bool


def _list_periods(params: QueryDict) -> list[PeriodLink]:
    """Links to the usual periods, by the company's today. They keep all other parameters."""
    today = company_today()
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    last_month_end = month - timedelta(days=1)
    periods: dict[str, tuple[date | None, date | None]] = {
        "This month": (month, today),
        "Last month": (last_month_end.replace(day=1), last_month_end),
        "This year": (year, today),
        "Last year": (year.replace(year=year.year - 1), year - timedelta(days=1)),
        "All time": (None, None),
    }
    current = (params.get("start_date", ""), params.get("end_date", ""))
    links = []
    for label, days in periods.items():
        start, end = (day.isoformat() if day else "" for day in days)
        query = _change_query(params, start_date=start, end_date=end)
        links.append(PeriodLink(label, query, (start, end) == current))
    return links


def _build_table_context(report: Report[Any], form: ReportForm, table: ReportTable[Any]) -> dict[str, Any]:
    is_narrow = form.scope.is_narrow
    columns: list[Column[Any]] = [column for column in report.columns if not (is_narrow and column.is_company_only)]
    return {
        "summary": form.describe(report.scope_label),
        "note": report.narrow_scope_note if is_narrow else "",
        "columns": columns,
        "rows": [_build_row(report, row, columns) for row in table.rows],
        "totals": TableRow(table.totals.name, "", [column.build_cell(table.totals) for column in columns]),
        "chart": _build_chart(report, form.scope, table.rows[:MAX_CHART_ROWS]),
        "rows_left_out": max(len(table.rows) - MAX_CHART_ROWS, 0),
    }


def _build_row(report: Report[Any], row: ReportRow, columns: Sequence[Column[Any]]) -> TableRow:
    page = reverse(report.row_page, args=[row.key]) if report.row_page else ""
    return TableRow(row.name, page, [column.build_cell(row) for column in columns])


def _build_chart(report: Report[Any], scope: Scope, rows: Sequence[ReportRow]) -> Chart | None:
    series = [line for line in report.chart.series if not (scope.is_narrow and line.is_company_only)]
    labels = [line.label for line in series]
    numbers = [[line.get_value(row) for line in series] for row in rows]
    bars = [
        (row.name, [None if value is None else float(value) for value in values])
        for row, values in zip(rows, numbers, strict=True)
    ]
    title = report.chart.title or " and ".join(labels).capitalize()
    return build_bar_chart(title, report.chart.unit, labels, bars, report.chart.write)


cast(AthenaSite, admin.site).add_pages(
    [
        path("reports/<slug:slug>/", admin.site.admin_view(show_report), name="report"),
        path(
            "sales/leadsource/reports/<slug:former_slug>/",
            admin.site.admin_view(redirect_former_address),
            name="report_former_address",
        ),
    ]
)
