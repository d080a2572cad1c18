"""Forms that more than one page shows."""

from decimal import Decimal
from typing import Any, Self, cast

from django import forms
from django.http import QueryDict

from athena.formatting import format_money
from athena.forms import StrictForm
from sales.models import CadenceEnrolment, FollowUp, Lead, LostReason
from sales.models.leads.lead import CLOSED_STATUSES
from sales.services.follow_ups import completion
from sales.services.follow_ups.completion import CompletionInput


def _money_field(**options: Any) -> forms.DecimalField:
    return forms.DecimalField(required=False, min_value=0, max_digits=12, decimal_places=2, **options)


def _date_field(label: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(required=False, label=label, widget=widget)


class CompletionForm(StrictForm):
    """The form that completes a follow-up. Its fields are those of `CompletionInput`, with the same limits.

    The home page shows a part of it, the page "Complete" all of it. `has_next_step`: a cadence plans the next follow-up
    (None: look it up).
    """

    outcome = forms.ChoiceField(choices=FollowUp.Outcome.choices)
    notes = forms.CharField(
        required=False,
        max_length=completion.MAX_NOTES_LENGTH,
        label="What was the result?",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    amount = _money_field(label="Quoted", help_text="If the quote was sent.")
    valid_until = _date_field("Valid until")
    schedule_next = forms.BooleanField(required=False, label="Plan the next follow-up")
    next_follow_up_days = forms.IntegerField(
        required=False,
        min_value=completion.MIN_NEXT_DAYS,
        max_value=completion.MAX_NEXT_DAYS,
        initial=completion.DEFAULT_NEXT_DAYS,
        label="in days",
    )
    next_follow_up_date = _date_field("or on")
    next_follow_up_time = forms.TimeField(
        required=False, label="at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    next_follow_up_notes = forms.CharField(
        required=False, max_length=completion.MAX_NOTES_LENGTH, label="What to do next", widget=forms.TextInput
    )
    no_next_reason = forms.CharField(
        required=False, max_length=completion.MAX_REASON_LENGTH, label="If nothing follows, why?"
    )
    next_follow_up_type = forms.ChoiceField(
        required=False, choices=[("", "The same"), *FollowUp.Type.choices], label="Type of the next follow-up"
    )
    close = forms.ChoiceField(
        required=False,
        choices=[("", "Keep the lead open"), *((status, Lead.Status(status).label) for status in CLOSED_STATUSES)],
        label="The lead",
    )
    lost_reason = forms.ModelChoiceField(
        LostReason.objects.filter(is_active=True), required=False, to_field_name="name"
    )
    booked_value = _money_field(help_text="If won: the booked value of the trip.")

    def __init__(
        self, follow_up: FollowUp, data: QueryDict | None = None, *, has_next_step: bool | None = None
    ) -> None:
        self.follow_up, self.lead = follow_up, follow_up.lead
        if has_next_step is None:
            enrollments = CadenceEnrolment.objects.with_next_step()
            has_next_step = enrollments.filter(follow_up=follow_up.pk).exists()
        self.has_next_step = has_next_step
        initial = {
            "schedule_next": not has_next_step,
            "next_follow_up_time": follow_up.scheduled_time,
            "booked_value": self._suggested_value,
        }
        super().__init__(data, initial=initial, auto_id=f"completion-{follow_up.pk}-%s")
        self.fields["next_follow_up_notes"].widget.attrs["placeholder"] = follow_up.notes[:200]
        if follow_up.follow_up_type != FollowUp.Type.QUOTE:
            del self.fields["amount"], self.fields["valid_until"]

    @classmethod
    def prefilled(cls, follow_up: FollowUp, data: QueryDict) -> Self:
        """An unbound form with what somebody has typed so far. Nothing is checked yet."""
        form = cls(follow_up)
        form.initial.update({name: data[name] for name in form.fields if name in data})
        form.initial["schedule_next"] = "schedule_next" in data
        return form

    @property
    def leaves_lead_unplanned(self) -> bool:
        """Whether the lead is open and has no other follow-up, so that a reason is required if none is planned."""
        others = FollowUp.objects.open().filter(lead=self.lead).exclude(pk=self.follow_up.pk)
        return self.lead.is_open and not self.has_next_step and not others.exists()

    @property
    def full_page_fields(self) -> list[forms.BoundField]:
        """The fields that only the page "Complete" shows."""
        return [self[name] for name in ("next_follow_up_type", "close", "lost_reason", "booked_value")]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        is_rescheduled = values.get("outcome") == FollowUp.Outcome.RESCHEDULED
        if is_rescheduled and not self._closes_lead and not values.get("next_follow_up_date"):
            self.add_error("next_follow_up_date", "Give the date it is rescheduled to.")
        elif not (self._plans_next or self._closes_lead or values.get("no_next_reason")) and self.leaves_lead_unplanned:
            message = "The lead is open and nothing else is planned. Plan the next follow-up, or give a reason."
            self.add_error("no_next_reason", message)
        if values.get("close") == Lead.Status.WON and values.get("booked_value") is None:
            require_confirmed_value(self, self._suggested_value)
        return values

    @property
    def _suggested_value(self) -> Decimal | None:
        return get_suggested_value(self.lead.quote_amount, self.lead.estimated_value)

    @property
    def _closes_lead(self) -> bool:
        return bool(self.cleaned_data.get("close"))

    @property
    def _plans_next(self) -> bool:
        """Whether a next follow-up is wanted. `schedule_next` is ticked by default; closing the lead overrides it."""
        values = self.cleaned_data
        is_typed = values.get("next_follow_up_date") or values.get("next_follow_up_notes")
        return bool(is_typed or (values.get("schedule_next") and not self._closes_lead))

    def to_completion_input(self) -> CompletionInput:
        """The checked form as the service takes it. What was left empty has its default."""
        values = {name: value for name, value in self.cleaned_data.items() if value is not None and value != ""}
        if not self._plans_next:
            values = {name: value for name, value in values.items() if not name.startswith("next_")}
        elif "next_follow_up_time" in self.data:
            values["next_follow_up_time"] = self.cleaned_data["next_follow_up_time"]
        if "next_follow_up_date" in values:
            values.pop("next_follow_up_days", None)
        if values.get("close") != Lead.Status.WON:
            values.pop("booked_value", None)
        if "lost_reason" in values:
            values["lost_reason"] = values["lost_reason"].name
        return CompletionInput(**{**values, "schedule_next": self._plans_next})


def get_suggested_value(quote_amount: Decimal | None, estimated_value: Decimal | None) -> Decimal | None:
    """The likely booked value of a won lead: its quote amount, or else its estimated value."""
    return estimated_value if quote_amount is None else quote_amount


def require_confirmed_value(form: forms.BaseForm, value: Decimal | None) -> None:
    """Refuse a bound form that marks a lead as won without a booked value, and fill in `value` to be confirmed."""
    if value is None:
        form.add_error("booked_value", "Give the booked value.")
        return
    data = cast(QueryDict, form.data).copy()
    data["booked_value"] = str(value)
    form.data = data
    message = f"Is {format_money(value)} the booked value? Save again to confirm, or change the amount."
    form.add_error("booked_value", message)
