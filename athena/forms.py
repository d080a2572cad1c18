"""Strict forms for pages: they apply the rules of `athena.api.fields`, so that pages and API accept the same values.

An error is shown beside its field, and the first invalid field gets the cursor. Forms of rows also show the violation
of a database constraint beside its field.
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

MISSING_PARTS = ("Enter the date, too.", "Enter the time, too.")


class StrictFormMixin(forms.BaseForm):
    """A mixin for forms: their fields accept what the API's fields accept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.SplitDateTimeField):
                _ask_for_both_parts(field)

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name, field in self.fields.items():
            error = _find_error(field, self.cleaned_data.get(name))
            if error:
                self.add_error(name, error)

    def full_clean(self) -> None:
        super().full_clean()
        for name, field in self.fields.items():
            if name in (self._errors or ()):  # type: ignore[attr-defined]
                _focus(field.widget, self[name].data)
                break


class StrictRowForm(StrictFormMixin):
    """A mixin for model forms.

    The form works on a copy of the row, so that the rest of the page shows the saved row whatever was typed. Fields
    that the user did not change are not validated again, so that a row from before a rule existed can be edited.
    `save_error` is the error of the database or a service that ended an attempt to save.
    """

    instance: Model
    save_error: Exception | None = None
    checks_constraints = True  # False if a service has better messages
    checks_limits = True  # False if a service checks the limits of numbers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("instance") is not None:
            kwargs["instance"] = copy.copy(kwargs["instance"])
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            column = next((field for field in self.instance._meta.fields if field.name == name), None)
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
        for name, messages in self.list_save_errors().items():
            self.add_error(name if name in self.fields else NON_FIELD_ERRORS, messages)
        return cleaned

    def list_save_errors(self) -> dict[str, str]:
        """The messages of `save_error`, by field."""
        if isinstance(self.save_error, IntegrityError | DataError):
            names, message = constraints.explain_violation(self.save_error)
            return {self._find_field(names): message}
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
                name = self._find_field(constraints.get_fields(constraint, model))
                self.add_error(name, constraints.get_message(constraint))

    def _find_field(self, names: list[str]) -> str:
        """The last of these fields that is on the form, which shows the error; otherwise the form itself."""
        return next((name for name in reversed(names) if name in self.fields), NON_FIELD_ERRORS)


class StrictForm(StrictFormMixin, forms.Form):
    """The base of forms that are not for a row."""


class StrictModelForm(StrictRowForm, forms.ModelForm):  # type: ignore[type-arg]
    """The base of forms for a row."""


class IdsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Several rows, chosen by their ids."""

    def _check_values(self, value: Any) -> Any:
        for row_id in value:
            if parse_id(str(row_id)) is None:
                raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": row_id})
        return super()._check_values(value)  # type: ignore[misc]


def _find_error(field: forms.Field, value: Any) -> str | None:
    if isinstance(value, str) and not isinstance(field.widget, forms.PasswordInput):
        key = fields.find_text_error(value, one_line=not isinstance(field.widget, forms.Textarea))
        return fields.TEXT_ERRORS[key] if key else None
    if isinstance(value, date) and not fields.is_in_allowed_years(value):
        return fields.YEARS_ERROR
    return None


def _ask_for_both_parts(field: forms.SplitDateTimeField) -> None:
    """Show an error for a date without a time and for a time without a date."""
    field.require_all_fields = False
    for part, message in zip(field.fields, MISSING_PARTS, strict=True):
        part.required = True
        part.error_messages["incomplete"] = message


def _limit(field: Any, low: Any, high: Any) -> None:
    """Limit a number field and its input to `low` … `high`, unless the field has narrower limits."""
    low = max((limit for limit in (low, field.min_value) if limit is not None), default=None)
    high = min((limit for limit in (high, field.max_value) if limit is not None), default=None)
    field.min_value, field.max_value = low, high
    others = [rule for rule in field.validators if not isinstance(rule, MinValueValidator | MaxValueValidator)]
    limits = [(MinValueValidator, low, "min"), (MaxValueValidator, high, "max")]
    field.validators = others + [validator(limit) for validator, limit, _ in limits if limit is not None]
    if isinstance(field.widget, forms.NumberInput):
        field.widget.attrs |= {attribute: str(limit) for _, limit, attribute in limits if limit is not None}


def _focus(widget: Any, data: Any) -> None:
    """Give an input the cursor; of several inputs, the first empty one."""
    if isinstance(widget, forms.MultiWidget):
        values = data or [""] * len(widget.widgets)
        empty = [part for part, value in zip(widget.widgets, values, strict=False) if not value]
        widget = (empty or widget.widgets)[0]
    widget.attrs["autofocus"] = True
