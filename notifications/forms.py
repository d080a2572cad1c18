"""The form of a user's notification preferences."""

from typing import Any, TypedDict

from django import forms

from athena.accounts.models import MAX_REMINDER_MINUTES, User
from athena.forms import StrictForm
from notifications import channels, kinds, preferences


class PreferenceValues(TypedDict):
    """What `preferences.set_preferences` takes."""

    wanted: dict[str, list[str]]
    reminder_minutes: int
    digest_hour: int


class PreferencesForm(StrictForm):
    """A checkbox for each kind and each channel that may send it, the lead time of reminders, the digest's hour."""

    reminder_minutes = forms.IntegerField(
        min_value=0,
        max_value=MAX_REMINDER_MINUTES,
        label="Reminder lead time",
        help_text="Minutes before a follow-up that has a time. The reminder of a follow-up without one comes at 08:00.",
    )
    digest_hour = forms.TypedChoiceField(
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        label="Daily digest at",
        help_text="In your own time zone.",
    )

    def __init__(self, user: User, data: Any = None) -> None:
        kind_preferences = preferences.get_preferences(user)
        initial: dict[str, object] = {"reminder_minutes": user.reminder_minutes, "digest_hour": user.digest_hour}
        for preference in kind_preferences:
            for channel in preference.kind.channels:
                initial[_name_box(preference.kind, channel)] = channel in preference.channels
        super().__init__(data, initial=initial)
        self.kinds = [preference.kind for preference in kind_preferences]
        self.channels = channels.get_used()
        for kind in self.kinds:
            for name in kind.channels:
                label = f"{kind.label}: {channels.get_label(name)}"
                self.fields[_name_box(kind, name)] = forms.BooleanField(
                    required=False, widget=forms.CheckboxInput({"aria-label": label}), label=label
                )

    def rows(self) -> list[tuple[kinds.Kind, list[forms.BoundField | None]]]:
        """Return each kind with a checkbox for each channel; None where the channel does not send the kind."""
        return [(kind, [self._find_box(kind, channel) for channel in self.channels]) for kind in self.kinds]

    def values(self) -> PreferenceValues:
        """Return the submitted values for `preferences.set_preferences`. The form has to be valid."""
        cleaned = self.cleaned_data
        wanted = {kind.name: [name for name in kind.channels if cleaned[_name_box(kind, name)]] for kind in self.kinds}
        return {
            "wanted": wanted,
            "reminder_minutes": cleaned["reminder_minutes"],
            "digest_hour": cleaned["digest_hour"],
        }

    def _find_box(self, kind: kinds.Kind, channel: str) -> forms.BoundField | None:
        return self[_name_box(kind, channel)] if channel in kind.channels else None


def _name_box(kind: kinds.Kind, channel: str) -> str:
    return f"{kind.name}-{channel}"
