"""The rules of `athena.api.fields` for the forms of pages, so that both doors take the same text, numbers and days.

What is wrong is said beside its field, and the cursor goes to the first such field. Forms of rows also say, beside the
field, what a constraint of the database refuses.
"""

import copy
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DataError, IntegrityError
from django.db.models import Model

from athena.api import fields
from athena.api.row_ids import parse_id
from athena.db import constraints

PARTS = ("Give the date, too: there is only a time.", "Give the time, too: there is only a date.")


class StrictFormMixin(forms.BaseForm):
    """Mixed into a form: its fields take what the API's fields take."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.SplitDateTimeField):
                _ask_for_both_parts(field)

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name, field in self.fields.items():
            error = _error_of(field, self.cleaned_data.get(name))
            if error:
                self.add_error(name, error)

    def full_clean(self) -> None:
        super().full_clean()
        for name, field in self.fields.items():
            if name in (self._errors or ()):  # type: ignore[attr-defined]
                _focus(field.widget, self[name].data)
                break


class StrictRowForm(StrictFormMixin):
    """Mixed into the form of a row.

    The form works on a copy: whatever is typed, the page's head shows the row as it is saved. What nobody touched is
    not checked again: a row that other rules once let in can still be changed elsewhere. `refused` is the error of the
    database or a service at which the attempt to save ended.
    """

    instance: Model
    refused: Exception | None = None
    checks_constraints = True  # False where a service says it in better words
    checks_limits = True  # the same for the limits of numbers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("instance") is not None:
            kwargs["instance"] = copy.copy(kwargs["instance"])
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            column = next((column for column in self.instance._meta.fields if column.name == name), None)
            if column is not None and self.checks_limits and isinstance(field, forms.IntegerField):  # or a decimal
                _limit(field, *constraints.find_number_limits(column))

    def _clean_fields(self) -> None:
        super()._clean_fields()
        if self.instance._state.adding:
            return
        errors: Any = self._errors  # type: ignore[attr-defined]
        for name in [name for name in errors if name in self.fields and name not in self.changed_data]:
            del errors[name]
            self.cleaned_data[name] = getattr(self.instance, name)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, messages in self.refusal().items():
            self.add_error(name if name in self.fields else NON_FIELD_ERRORS, messages)
        return cleaned

    def refusal(self) -> dict[str, str]:
        """What `refused` says, by field."""
        if isinstance(self.refused, IntegrityError | DataError):
            names, message = constraints.explain_violation(self.refused)
            return {self._place(names): message}
        return {}

    def _post_clean(self) -> None:
        self.instance.validate_constraints = lambda exclude=None: None  # type: ignore[method-assign]
        super()._post_clean()  # type: ignore[misc]
        if not self.checks_constraints:
            return
        exclude = self._get_validation_exclusions()  # type: ignore[attr-defined]
        model = type(self.instance)
        for constraint in model._meta.constraints:
            try:
                constraint.validate(model, self.instance, exclude=exclude)
            except ValidationError:
                place = self._place(constraints.get_fields(constraint, model))
                self.add_error(place, constraints.get_message(constraint))

    def _place(self, names: list[str]) -> str:
        """The last of these fields that the form has: beside it a violation is said."""
        return next((name for name in reversed(names) if name in self.fields), NON_FIELD_ERRORS)


class StrictForm(StrictFormMixin, forms.Form):
    """A form of its own, not of a row."""


class IdsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Several rows, by their ids: what no row can have as its id is not among the choices."""

    def _check_values(self, value: Any) -> Any:
        for key in value:
            if parse_id(str(key)) is None:
                raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": key})
        return super()._check_values(value)  # type: ignore[misc]


def _error_of(field: forms.Field, value: Any) -> str | None:
    if isinstance(value, str) and not isinstance(field.widget, forms.PasswordInput):
        key = fields.find_text_error(value, one_line=not isinstance(field.widget, forms.Textarea))
        return fields.TEXT_ERRORS[key] if key else None
    if isinstance(value, date) and not fields.is_in_allowed_years(value):
        return fields.YEARS_ERROR
    return None


def _ask_for_both_parts(field: forms.SplitDateTimeField) -> None:
    """A date without a time, or a time without a date, is told so."""
    field.require_all_fields = False
    for part, message in zip(field.fields, PARTS, strict=True):
        part.required = True
        part.error_messages["incomplete"] = message


def _limit(field: Any, low: Any, high: Any) -> None:
    """Let a field take numbers from `low` to `high` (or what it was given that is narrower), and its input say so."""
    low = max((each for each in (low, field.min_value) if each is not None), default=None)
    high = min((each for each in (high, field.max_value) if each is not None), default=None)
    field.min_value, field.max_value = low, high
    kept = [each for each in field.validators if not isinstance(each, MinValueValidator | MaxValueValidator)]
    limits = [(MinValueValidator, low, "min"), (MaxValueValidator, high, "max")]
    field.validators = kept + [validator(limit) for validator, limit, _ in limits if limit is not None]
    if isinstance(field.widget, forms.NumberInput):
        field.widget.attrs |= {attribute: str(limit) for _, limit, attribute in limits if limit is not None}


def _focus(widget: Any, data: Any) -> None:
    """Put the cursor into an input; of several, into the first that is empty."""
    if isinstance(widget, forms.MultiWidget):
        values = data or [""] * len(widget.widgets)
        empty = [part for part, value in zip(widget.widgets, values, strict=False) if not value]
        widget = (empty or widget.widgets)[0]
    widget.attrs["autofocus"] = True
