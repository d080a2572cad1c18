"""The reports' pages: what sources earn, how fast sales go, why leads are lost. For managers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from athena.http.tables import columns_of, csv_response
from sales.admin.base import person
from sales.admin.charts import Chart, bar_chart
from sales.models import Lead
from sales.queries import losses, source_roi, speed
from sales.queries.period import Period

Row = dict[str, Any]
LABELS = {"by": "By", "cohort": "Leads"}
CHARTED = 12  # rows of a report that its chart shows


class PeriodForm(forms.Form):
    start_date = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    end_date = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, choices: dict[str, dict[str, str]], data: Any) -> None:
        super().__init__({name: next(iter(each)) for name, each in choices.items()} | data.dict())
        for name, each in choices.items():
            self.fields[name] = forms.ChoiceField(choices=list(each.items()), label=LABELS[name])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start, end = values.get("start_date"), values.get("end_date")
        if start and end and end < start:
            self.add_error("end_date", "The end is before the start.")
        return values


@dataclass(frozen=True)
class Report:
    """A report as a page: what can be chosen, the table's columns (a key, its heading, its kind), and the chart."""

    title: str
    about: str
    choices: dict[str, dict[str, str]]
    columns: list[tuple[str, str, str]]
    ask: Callable[..., dict[str, Any]]
    chart: Callable[[list[Row]], Chart | None]


REPORTS = {
    "roi": Report(
        "What sources earn",
        "Leads by when they were taken in (or when they travel), and how many of them were ever qualified, quoted and "
        "won. Booked revenue is of those that are won now. Spend is the company's: months that the period cuts count "
        "by their days. Return = (revenue − spend) ÷ spend.",
        {
            "by": {"source": "Source", "channel": "Channel", "campaign": "Campaign"},
            "cohort": {"created": "Taken in", "trip": "Travelling"},
        },
        [
            ("leads", "Leads", "count"), ("qualified", "Qualified", "count"), ("quoted", "Quoted", "count"),
            ("won", "Won", "count"), ("won_rate", "Won, %", "rate"), ("booked_revenue", "Revenue", "money"),
            ("spend", "Spend", "money"), ("cost_per_lead", "Cost per lead", "money"),
            ("cost_per_booking", "Cost per booking", "money"), ("roi", "Return, %", "share"),
            ("median_days_to_booking", "Days to booking", "rate"),
        ],
        source_roi.source_roi,
        lambda rows: bar_chart(
            "Booked revenue and spend", "Amount, in the company's currency", ["Booked revenue", "Spend"],
            [(row["name"], [float(row["booked_revenue"]), float(row["spend"])]) for row in rows],
        ),
    ),
    "speed": Report(
        "How fast sales go",
        "Of the leads taken in in the period: the time until they were first contacted, quoted and booked. Half took "
        "no longer than the median; nine of ten no longer than the second figure. Waiting: open leads not there yet.",
        {"by": {"person": "Person", "source": "Source"}},
        [
            ("leads", "Leads", "count"),
            ("first_contact.median_hours", "First contact, hours", "rate"),
            ("first_contact.p90_hours", "9 of 10", "rate"), ("first_contact.waiting", "Waiting", "count"),
            ("quote.median_days", "Quote, days", "rate"), ("quote.p90_days", "9 of 10", "rate"),
            ("quote.waiting", "Waiting", "count"), ("booking.median_days", "Booking, days", "rate"),
            ("booking.p90_days", "9 of 10", "rate"), ("booking.waiting", "Waiting", "count"),
        ],
        speed.speed,
        lambda rows: bar_chart(
            "Time to first contact", "Hours", ["Median", "Nine of ten"],
            [(row["name"], [row["first_contact"]["median_hours"], row["first_contact"]["p90_hours"]]) for row in rows],
        ),
    ),
    "losses": Report(
        "Why leads are lost",
        "Leads that were lost in the period and not reopened since. Their value is what was quoted, or else expected.",
        {"by": {"reason": "Reason", "source": "Source", "value": "Value"}},
        [
            ("lost", "Lost", "count"), ("share", "Share, %", "rate"), ("quoted", "Had a quote", "count"),
            ("value", "Value", "money"), ("unvalued", "Without a value", "count"),
            ("median_days_to_loss", "Days until lost", "rate"),
        ],
        losses.losses,
        lambda rows: bar_chart("Lost leads", "Leads", ["Lost"], [(row["name"], [row["lost"]]) for row in rows]),
    ),
}  # fmt: skip


class ReportPages(admin.ModelAdmin):  # type: ignore[type-arg]
    """For the admin of sources."""

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(f"reports/{name}/", self.admin_site.admin_view(self._view(name)), name=f"sales_leadsource_{name}")
            for name in REPORTS
        ]
        return [*pages, *super().get_urls()]

    def _view(self, name: str) -> Callable[[HttpRequest], HttpResponse]:
        return lambda request: self.report_view(request, name)

    def report_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """A report of the leads that the manager may read: a chart and a table, or (`format=csv`) a file."""
        if not request.user.has_perm("sales.report_lead"):
            raise PermissionDenied
        report = REPORTS[name]
        form = PeriodForm(report.choices, request.GET)
        found: dict[str, Any] | None = None
        if form.is_valid():
            asked = dict(form.cleaned_data)
            period = Period(asked.pop("start_date"), asked.pop("end_date"))
            found = report.ask(person(request), period, **asked)
            if request.GET.get("format") == "csv":
                rows = [*found["rows"], found["totals"]]
                return csv_response(f"{name}-by-{asked['by']}", columns_of(found["totals"]), rows)
        context = {
            **self.admin_site.each_context(request),
            "title": report.title,
            "about": report.about,
            "opts": Lead._meta,
            "form": form,
            "name": name,
            "others": [(other, each.title) for other, each in REPORTS.items()],
            "csv": urlencode([*((key, value) for key, value in request.GET.items() if value), ("format", "csv")]),
            **(_shown(report, found) if found else {}),
        }
        return TemplateResponse(request, "admin/sales/report.html", context)


def _shown(report: Report, found: dict[str, Any]) -> dict[str, Any]:
    lines = [*found["rows"], found["totals"]]
    table = [(line["name"], [_cell(line, key, kind) for key, _, kind in report.columns]) for line in lines]
    return {
        "headings": [heading for _, heading, _ in report.columns],
        "table": table[:-1],
        "totals": table[-1],
        "chart": report.chart(found["rows"][:CHARTED]),
        "left_out": max(len(found["rows"]) - CHARTED, 0),
    }


def _cell(line: Row, key: str, kind: str) -> str:
    value: Any = line
    for part in key.split("."):
        value = value[part]
    if value is None:
        return "–"
    match kind:
        case "money":
            return f"{value:,.0f}"
        case "share":
            return f"{value * 100:,.0f}"
        case "rate":
            return f"{value:,.1f}"
    return f"{value:,}"
