"""Forms that several doors show."""

from typing import Any, Self, cast

from django import forms
from django.http import QueryDict

from athena.formatting import format_money
from athena.forms import StrictForm
from sales.models import CadenceEnrolment, FollowUp, Lead, LostReason
from sales.services.follow_ups.completion import DEFAULT_NEXT_DAYS

_Outcome = FollowUp.Outcome


class CompletionForm(StrictForm):
    """What came of a follow-up, and what comes next: on the home page in short, on a page of its own in full.

    `goes_on`: a cadence plans the next follow-up by itself (None: look it up).
    """

    outcome = forms.ChoiceField(choices=_Outcome.choices)
    notes = forms.CharField(
        required=False, max_length=10_000, label="What came of it?", widget=forms.Textarea(attrs={"rows": 2})
    )
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=2, label="Quoted", help_text="If the quote was sent."
    )
    valid_until = forms.DateField(
        required=False, label="Valid until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    schedule_next = forms.BooleanField(required=False, label="Plan the next follow-up")
    next_follow_up_days = forms.IntegerField(
        min_value=1, max_value=365, initial=DEFAULT_NEXT_DAYS, required=False, label="in days"
    )
    next_follow_up_date = forms.DateField(
        required=False, label="or on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    next_follow_up_time = forms.TimeField(
        required=False, label="at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    next_follow_up_notes = forms.CharField(
        required=False, max_length=10_000, label="What to do next", widget=forms.TextInput
    )
    no_next_reason = forms.CharField(required=False, max_length=200, label="If nothing follows, why?")
    next_follow_up_type = forms.ChoiceField(
        required=False, choices=[("", "The same"), *FollowUp.Type.choices], label="Type of the next follow-up"
    )
    close = forms.ChoiceField(
        required=False, choices=[("", "Keep the lead open"), ("won", "Won"), ("lost", "Lost")], label="The lead"
    )
    lost_reason = forms.ModelChoiceField(
        LostReason.objects.filter(is_active=True), required=False, to_field_name="name"
    )
    booked_value = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=2, help_text="If won: what it was booked for."
    )

    def __init__(self, follow_up: FollowUp, data: QueryDict | None = None, *, goes_on: bool | None = None) -> None:
        self.follow_up, self.lead = follow_up, follow_up.lead
        going_on = CadenceEnrolment.objects.going_on()
        self.goes_on = going_on.filter(follow_up=follow_up.pk).exists() if goes_on is None else goes_on
        initial = {
            "schedule_next": not self.goes_on,
            "next_follow_up_time": follow_up.scheduled_time,
            "booked_value": self._proposed,
        }
        super().__init__(data, initial=initial, auto_id=f"completion-{follow_up.pk}-%s")
        self.fields["next_follow_up_notes"].widget.attrs["placeholder"] = follow_up.notes[:200]
        if follow_up.follow_up_type != FollowUp.Type.QUOTE:
            del self.fields["amount"], self.fields["valid_until"]

    @classmethod
    def continuing(cls, follow_up: FollowUp, typed: QueryDict) -> Self:
        """The form as somebody has filled it in so far. Nothing of it is checked yet."""
        form = cls(follow_up)
        form.initial.update({name: typed[name] for name in form.fields if name in typed})
        form.initial["schedule_next"] = "schedule_next" in typed
        return form

    @property
    def is_last(self) -> bool:
        """Whether the lead is open and nothing else is planned for it, so that it must be said why nothing follows."""
        others = FollowUp.objects.open().filter(lead=self.lead).exclude(pk=self.follow_up.pk)
        return self.lead.is_open and not self.goes_on and not others.exists()

    @property
    def more(self) -> list[forms.BoundField]:
        """What only the full page asks."""
        return [self[name] for name in ("next_follow_up_type", "close", "lost_reason", "booked_value")]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("outcome") == _Outcome.RESCHEDULED and not self._closes and not values.get("next_follow_up_date"):
            self.add_error("next_follow_up_date", "For when is it rescheduled?")
        elif not (self._plans or self._closes or values.get("no_next_reason")) and self.is_last:
            why = "The lead is open and nothing else is planned. Plan the next follow-up, or say why nothing follows."
            self.add_error("no_next_reason", why)
        if values.get("close") == Lead.Status.WON and values.get("booked_value") is None:
            ask_for_value(self, self._proposed)
        return values

    @property
    def _proposed(self) -> Any:
        return proposed_value(self.lead.quote_amount, self.lead.estimated_value)

    @property
    def _closes(self) -> bool:
        return bool(self.cleaned_data.get("close"))

    @property
    def _plans(self) -> bool:
        """Whether somebody asks for a next follow-up. The tick that was there beforehand gives way to a closed lead."""
        typed = self.cleaned_data.get("next_follow_up_date") or self.cleaned_data.get("next_follow_up_notes")
        return bool(typed or (self.cleaned_data.get("schedule_next") and not self._closes))

    def values(self) -> dict[str, Any]:
        """What the service takes: whatever was filled in."""
        filled = {name: value for name, value in self.cleaned_data.items() if value is not None and value != ""}
        if not self._plans:
            filled = {name: value for name, value in filled.items() if not name.startswith("next_")}
        elif "next_follow_up_time" in self.data:
            filled["next_follow_up_time"] = self.cleaned_data["next_follow_up_time"]
        if "next_follow_up_date" in filled:
            filled.pop("next_follow_up_days", None)
        if filled.get("close") != Lead.Status.WON:
            filled.pop("booked_value", None)
        if "lost_reason" in filled:
            filled["lost_reason"] = filled["lost_reason"].name
        return filled | {"schedule_next": self._plans}


def proposed_value(quote_amount: Any, estimated_value: Any) -> Any:
    """What a trip was probably booked for: the quote, or else the estimate."""
    return estimated_value if quote_amount is None else quote_amount


def ask_for_value(form: forms.BaseForm, value: Any) -> None:
    """Let a bound form ask what a won lead was booked for, with this value filled in: a person confirms it."""
    if value is None:
        form.add_error("booked_value", "For how much was it booked?")
        return
    data = cast(QueryDict, form.data).copy()
    data["booked_value"] = str(value)
    form.data = data
    form.add_error(
        "booked_value", f"Was it booked for {format_money(value)}? Save again to confirm, or change the amount."
    )
