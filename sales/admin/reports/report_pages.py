"""The reports' pages: follow-ups, sources, speed, losses, rules; by period, team and person. For managers."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from athena.accounts.models import Team, User
from athena.admin.requests import get_user
from athena.formatting import format_date
from athena.forms import StrictForm
from athena.http.csv_responses import csv_response, list_columns
from sales import policy
from sales.admin.reports.report_tables import REPORTS, Report, cell, in_a_file
from sales.models import Lead
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Whose
from sales.schedule import company_today

LABELS = {"by": "By", "cohort": "Leads"}
CHARTED = 12  # rows of a report that its chart shows


def _day(label: str) -> forms.DateField:
    return forms.DateField(required=False, label=label, widget=forms.DateInput(attrs={"type": "date"}))


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj) if obj.is_active else f"{obj} (has left)"


class ReportForm(StrictForm):
    """What a report is asked. Of teams and people only those whose figures the user may read can be chosen."""

    start_date, end_date = _day("From"), _day("To")
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="All")
    person = PersonField(User.objects.none(), required=False, empty_label="Everybody")

    def __init__(self, user: User, choices: dict[str, dict[str, str]], data: QueryDict) -> None:
        super().__init__({name: next(iter(each)) for name, each in choices.items()} | data.dict())
        people = User.objects.filter(policy.get_scope_filter(user))
        self.fields["person"].queryset = people  # type: ignore[attr-defined]
        teams = Team.objects.filter(pk__in=people.order_by().values("team"))
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        for name, each in choices.items():
            self.fields[name] = forms.ChoiceField(choices=list(each.items()), label=LABELS[name])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start, end, team, who = (values.get(name) for name in ("start_date", "end_date", "team", "person"))
        if start and end and end < start:
            self.add_error("end_date", "The end is before the start.")
        if team and who and who.team_id != team.pk:
            self.add_error("person", f"{who} is not in this team.")
        return values

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["start_date"], self.cleaned_data["end_date"])

    @property
    def whose(self) -> Whose:
        team, who = self.cleaned_data["team"], self.cleaned_data["person"]
        return Whose(team and team.pk, who and who.pk)

    def chosen(self, names: Any) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names}

    def in_words(self, whose: str) -> str:
        """Which days and whose, for the page and for paper."""
        start, end, team, who = (self.cleaned_data[name] for name in ("start_date", "end_date", "team", "person"))
        days = [f"{word} {format_date(day)}" for word, day in (("from", start), ("to", end)) if day]
        people = [str(each) for each in (who, team) if each]
        said = [" ".join(days) or "all time", *([f"{whose} {', '.join(people)}"] if people else [])]
        return "; ".join(said)


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
        """A report of what the manager may read: a chart and a table, or (`format=csv`) a file."""
        if not request.user.has_perm("sales.report_lead"):
            raise PermissionDenied
        report = REPORTS[name]
        form = ReportForm(get_user(request), report.choices, request.GET)
        found: dict[str, Any] | None = None
        if form.is_valid():
            asked = form.chosen(report.choices)
            found = report.ask(get_user(request), form.period, whose=form.whose, **asked)
            if request.GET.get("format") == "csv":
                file = "-by-".join((name, asked["by"])) if "by" in asked else name
                lines = [in_a_file(row) for row in (*found["rows"], found["totals"])]
                return csv_response(file, list_columns(lines[-1]), lines)
        context = {
            **self.admin_site.each_context(request),
            "title": report.title,
            "about": report.about,
            "opts": Lead._meta,
            "form": form,
            "name": name,
            "periods": _periods(request.GET),
            "csv": _query(request.GET, format="csv"),
            **(_shown(report, form, found) if found else {}),
        }
        return TemplateResponse(request, "admin/sales/report.html", context)


def _query(asked: QueryDict, **changes: str) -> str:
    """What is asked, changed: as the query of an address."""
    return urlencode({name: value for name, value in {**asked.dict(), **changes}.items() if value})


def _periods(asked: QueryDict) -> list[tuple[str, str, bool]]:
    """The periods that one asks for most, where the company is: a name, its query, whether it is the one shown."""
    today = company_today()
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    last = month - timedelta(days=1)
    periods: dict[str, tuple[date | None, date | None]] = {
        "This month": (month, today),
        "Last month": (last.replace(day=1), last),
        "This year": (year, today),
        "Last year": (year.replace(year=year.year - 1), year - timedelta(days=1)),
        "All time": (None, None),
    }
    named = {name: [day.isoformat() if day else "" for day in days] for name, days in periods.items()}
    shown = [asked.get("start_date", ""), asked.get("end_date", "")]
    return [(name, _query(asked, start_date=days[0], end_date=days[1]), days == shown) for name, days in named.items()]


def _shown(report: Report, form: ReportForm, found: dict[str, Any]) -> dict[str, Any]:
    narrow = form.whose.is_narrow
    columns = [column for column in report.columns if not (narrow and column[0] in report.costs)]
    lines = [
        (line["name"], line["key"], [cell(line, key, kind) for key, _, kind in columns])
        for line in (*found["rows"], found["totals"])
    ]
    return {
        "said": form.in_words(report.whose),
        "note": report.note if narrow else "",
        "headings": [(heading, "" if kind == "verdict" else "number") for _, heading, kind in columns],
        "table": [(name, _page(report, key), cells) for name, key, cells in lines[:-1]],
        "totals": lines[-1],
        "chart": report.chart(found["rows"][:CHARTED]),
        "left_out": max(len(found["rows"]) - CHARTED, 0),
    }


def _page(report: Report, key: Any) -> str:
    return reverse(report.row_page, args=[key]) if report.row_page else ""
