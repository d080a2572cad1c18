"""Forms that remember what their page showed, so that two people can edit a row at once without losing changes."""

import json
from typing import Any, cast

from django import forms
from django.contrib.admin.utils import display_for_value
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html

from athena.forms import StrictRowForm

Sent = dict[str, list[str]]  # what a browser sends, by the names of the inputs


class ConcurrentEditForm(StrictRowForm, forms.ModelForm):  # type: ignore[type-arg]
    """A form whose page carries the values that it showed in a hidden input, `seen` (admin/change_form.html).

    Fields that only somebody else changed since then keep that person's values (`kept`: the value by label). If both
    changed the same field, the form comes back once with what was typed, and names the other person's value.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: dict[str, str] = {}
        self._disputed: dict[str, str] = {}
        self._untouched: set[str] = set()
        if self.is_bound and self.instance.pk is not None:
            self._catch_up()

    @property
    def seen(self) -> str:
        """The hidden input with the values that the page shows."""
        if self.instance.pk is None:
            return ""
        shown: Sent = {}
        for bound in self:
            shown |= _get_shown_values(bound)
        return format_html('<input type="hidden" name="seen" value="{}">', json.dumps(shown))

    def _catch_up(self) -> None:
        """Replace the values that the user did not touch by the row's current values."""
        data = cast(QueryDict, self.data).copy()
        seen = _parse_seen(data.get("seen", ""))
        for bound in self:
            now = _get_shown_values(bound)
            shown = {name: seen.get(name) for name in now}
            sent = {name: _normalize_line_ends(data.getlist(name)) for name in now}
            if sent == shown:
                self._untouched.add(bound.name)
            if None in shown.values() or shown == now:
                continue
            if sent == shown:
                self.kept[str(bound.label)] = self._format_value(bound)
                for name, values in now.items():
                    data.setlist(name, values)
            elif sent != now:
                self._disputed[bound.name] = self._format_value(bound)
        self.data = data

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name not in self._untouched]

    def _format_value(self, bound: Any) -> str:
        display = getattr(self.instance, f"get_{bound.name}_display", None)
        value = display() if display else getattr(self.instance, bound.name, bound.initial)
        return str(display_for_value(value, "nothing"))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, value in self._disputed.items():
            self.add_error(name, f"Somebody else changed this to “{value}”. Save again to keep your value.")
        return cleaned


def _get_shown_values(bound: Any) -> Sent:
    """What a browser sends for a field that the user does not touch, with the row's current value."""
    return _get_sent_values(bound.field.widget, bound.html_name, bound.initial)


def _get_sent_values(widget: Any, name: str, value: Any) -> Sent:
    if isinstance(widget, forms.MultiWidget):
        values: Sent = {}
        names: Any = widget.widgets_names  # type: ignore[attr-defined]
        for part, suffix, part_value in zip(widget.widgets, names, widget.decompress(value) or (), strict=True):
            values |= _get_sent_values(part, name + suffix, part_value)
        return values
    if isinstance(widget, forms.CheckboxInput):
        return {name: ["on"] if value else []}
    text = widget.format_value(value)
    return {name: _normalize_line_ends(text if isinstance(text, list) else ["" if text is None else str(text)])}


def _normalize_line_ends(texts: list[str]) -> list[str]:
    """The texts with \\n for the \\r\\n that browsers send."""
    return [text.replace("\r\n", "\n") for text in texts]


def _parse_seen(text: str) -> dict[str, Any]:
    """The values in `seen`; empty if a browser sent something else."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
