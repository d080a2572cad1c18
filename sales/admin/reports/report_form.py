"""The form above a report: its period, team, person and the report's own choices."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from athena.accounts.models import Team, User
from athena.formatting import format_date
from athena.forms import StrictForm
from sales import policy
from sales.queries.reports.period import Period
from sales.queries.reports.scope import Scope
from sales.reports.report import Choice


def _build_date_field(label: str) -> forms.DateField:
    return forms.DateField(required=False, label=label, widget=forms.DateInput(attrs={"type": "date"}))


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj) if obj.is_active else f"{obj} (has left)"


class ReportForm(StrictForm):
    """Offers only the teams and people whose numbers the user may read."""

    start_date, end_date = _build_date_field("From"), _build_date_field("To")

    def __init__(self, user: User, choices: Mapping[str, Choice], data: QueryDict) -> None:
        super().__init__({name: choice.default for name, choice in choices.items()} | data.dict())
        people = User.objects.filter(policy.get_scope_filter(user))
        teams = Team.objects.filter(pk__in=people.order_by().values("team"))
        self.fields["team"] = forms.ModelChoiceField(teams, required=False, empty_label="All")
        self.fields["person"] = PersonField(people, required=False, empty_label="Everybody")
        self._choices = choices
        for name, choice in choices.items():
            self.fields[name] = forms.ChoiceField(choices=list(choice.options.items()), label=choice.label)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        team, person = values.get("team"), values.get("person")
        if error := Period(values.get("start_date"), values.get("end_date")).error:
            self.add_error("end_date", error)
        if team and person and person.team_id != team.pk:
            self.add_error("person", f"{person} is not in this team.")
        return values

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["start_date"], self.cleaned_data["end_date"])

    @property
    def scope(self) -> Scope:
        team, person = self.cleaned_data["team"], self.cleaned_data["person"]
        return Scope(team and team.pk, person and person.pk)

    @property
    def chosen_options(self) -> dict[str, str]:
        """The chosen value for each of the report's own choices."""
        return {name: self.cleaned_data[name] for name in self._choices}

    def describe(self, scope_label: str) -> str:
        """The period and the scope in words, such as "All time; leads owned by Maria"."""
        start, end = self.cleaned_data["start_date"], self.cleaned_data["end_date"]
        days = [f"{word} {format_date(day)}" for word, day in (("from", start), ("to", end)) if day]
        people = [str(self.cleaned_data[name]) for name in ("person", "team") if self.cleaned_data[name]]
        parts = [" ".join(days) or "all time"]
        if people:
            parts.append(f"{scope_label} {', '.join(people)}")
        return "; ".join(parts)
