"""How one wants to hear of things, as a form."""

from typing import Any

from django import forms

from athena.accounts.models import MAX_REMINDER_MINUTES, User
from athena.forms import StrictForm
from notifications import channels, kinds, services


class PreferencesForm(StrictForm):
    """A box for each kind and channel, and when."""

    reminder_minutes = forms.IntegerField(
        min_value=0, max_value=MAX_REMINDER_MINUTES, label="Remind me",
        help_text="Minutes before a follow-up that has a time. One without is told at 8:00 that morning.",
    )  # fmt: skip
    digest_hour = forms.TypedChoiceField(
        coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)], label="Daily digest at",
        help_text="On your own clock.",
    )  # fmt: skip

    def __init__(self, user: User, data: Any = None) -> None:
        chosen = services.get_preferences(user)
        when = {"reminder_minutes": user.reminder_minutes, "digest_hour": user.digest_hour}
        boxes = {_box(each.kind.name, name): name in each.channels for each in chosen for name in channels.get_all()}
        super().__init__(data, initial=when | boxes)
        self.kinds = [each.kind for each in chosen]
        for kind in self.kinds:
            for name, channel in channels.get_all().items():
                label = f"{kind.label}: {channel.label}"
                self.fields[_box(kind.name, name)] = forms.BooleanField(
                    required=False, widget=forms.CheckboxInput({"aria-label": label}), label=label
                )

    def rows(self) -> list[tuple[kinds.Kind, list[forms.BoundField]]]:
        """Each kind with its boxes."""
        return [(kind, [self[_box(kind.name, name)] for name in channels.get_all()]) for kind in self.kinds]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        ticked = self.cleaned_data
        wanted = {
            kind.name: [name for name in channels.get_all() if ticked[_box(kind.name, name)]] for kind in self.kinds
        }
        return {"wanted": wanted, **{name: ticked[name] for name in ("reminder_minutes", "digest_hour")}}


def _box(kind: str, channel: str) -> str:
    return f"{kind}-{channel}"
