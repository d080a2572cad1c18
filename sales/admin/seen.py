"""Forms that know what their page showed, so that two people who change the same row at once lose nothing."""

from typing import Any, cast

from django import forms
from django.contrib.admin.utils import display_for_value
from django.http import QueryDict

Sent = dict[str, list[str]]


class SeenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose page carries, hidden, what it showed.

    What somebody else has changed since then stays as they have it (`kept`: what it is now, by label), unless both
    changed the same field: then the form comes back once with what was typed, and says what the other has written.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: dict[str, str] = {}
        self._disputed: dict[str, str] = {}
        if self.instance.pk is not None:
            for field in self.fields.values():
                field.show_hidden_initial = True
            if self.is_bound:
                self._catch_up()

    def _catch_up(self) -> None:
        """Put what the row says now in the place of what the page showed and nobody touched."""
        touched, data = set(self.changed_data), cast(QueryDict, self.data).copy()
        for bound in self:
            hidden = bound.field.hidden_widget()
            if hidden.value_omitted_from_data(data, self.files, bound.html_initial_name):
                continue
            now = _sent(hidden, bound.html_initial_name, bound.initial)
            if all(_lines(data.getlist(key)) == _lines(said) for key, said in now.items()):
                continue
            says = self._says(bound)
            if bound.name in touched:
                self._disputed[bound.name] = says
            else:
                self.kept[str(bound.label)] = says
                now |= _sent(bound.field.widget, bound.html_name, bound.initial)
            for key, said in now.items():
                data.setlist(key, said)
        self.data = data
        del self.changed_data  # it is asked again, of what the row says now

    def _says(self, bound: Any) -> str:
        display = getattr(self.instance, f"get_{bound.name}_display", None)
        value = display() if display else getattr(self.instance, bound.name, bound.initial)
        return str(display_for_value(value, "nothing"))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, says in self._disputed.items():
            if name in self.changed_data:
                self.add_error(name, f"Somebody else made it “{says}” meanwhile. Save again if yours is to stay.")
        return cleaned


def _sent(widget: Any, name: str, value: Any) -> Sent:
    """What a browser sends of a widget that shows `value`."""
    if isinstance(widget, forms.MultiWidget):
        found: Sent = {}
        names: Any = widget.widgets_names  # type: ignore[attr-defined]
        for part, suffix, each in zip(widget.widgets, names, widget.decompress(value) or (), strict=True):
            found |= _sent(part, name + suffix, each)
        return found
    if isinstance(widget, forms.CheckboxInput):
        return {name: ["on"] if value else []}
    said = widget.format_value(value)
    return {name: said if isinstance(said, list) else ["" if said is None else str(said)]}


def _lines(said: list[str]) -> list[str]:
    """Browsers send each line's end as two characters."""
    return [each.replace("\r\n", "\n") for each in said]
