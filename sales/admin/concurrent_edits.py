"""Forms that know what their page showed, so that two people who change the same row at once lose nothing."""

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
    """A form whose page carries, hidden, what it showed (`seen`; templates/admin/change_form.html).

    What somebody else has changed since then stays as they have it (`kept`: what it is now, by label), unless both
    changed the same field: then the form comes back once with what was typed, and says what the other has written.
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
        """The input that carries it."""
        if self.instance.pk is None:
            return ""
        shown: Sent = {}
        for bound in self:
            shown |= _shown(bound)
        return format_html('<input type="hidden" name="seen" value="{}">', json.dumps(shown))

    def _catch_up(self) -> None:
        """Put what the row says now in the place of what the page showed and nobody touched."""
        data = cast(QueryDict, self.data).copy()
        seen = _read(data.get("seen", ""))
        for bound in self:
            now = _shown(bound)
            shown = {name: seen.get(name) for name in now}
            sent = {name: _lines(data.getlist(name)) for name in now}
            if sent == shown:
                self._untouched.add(bound.name)
            if None in shown.values() or shown == now:
                continue
            if sent == shown:
                self.kept[str(bound.label)] = self._says(bound)
                for name, values in now.items():
                    data.setlist(name, values)
            elif sent != now:
                self._disputed[bound.name] = self._says(bound)
        self.data = data

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name not in self._untouched]

    def _says(self, bound: Any) -> str:
        display = getattr(self.instance, f"get_{bound.name}_display", None)
        value = display() if display else getattr(self.instance, bound.name, bound.initial)
        return str(display_for_value(value, "nothing"))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, says in self._disputed.items():
            self.add_error(name, f"Somebody else made it “{says}” meanwhile. Save again if yours is to stay.")
        return cleaned


def _shown(bound: Any) -> Sent:
    """What a browser sends of a field of the page as the row is, if nobody touches it."""
    return _sent(bound.field.widget, bound.html_name, bound.initial)


def _sent(widget: Any, name: str, value: Any) -> Sent:
    if isinstance(widget, forms.MultiWidget):
        found: Sent = {}
        names: Any = widget.widgets_names  # type: ignore[attr-defined]
        for part, suffix, each in zip(widget.widgets, names, widget.decompress(value) or (), strict=True):
            found |= _sent(part, name + suffix, each)
        return found
    if isinstance(widget, forms.CheckboxInput):
        return {name: ["on"] if value else []}
    said = widget.format_value(value)
    return {name: _lines(said if isinstance(said, list) else ["" if said is None else str(said)])}


def _lines(said: list[str]) -> list[str]:
    """Browsers send each line's end as two characters."""
    return [each.replace("\r\n", "\n") for each in said]


def _read(text: str) -> dict[str, Any]:
    """What `seen` says; nothing where it is not ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
