"""Limits the lookups in the addresses of admin lists: they may compare the table's own columns with valid values.

Patterns (`__regex`, `__contains`) and transforms (`__date`) would be evaluated on every row, so they are refused, as
are lookups in other tables.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList, ChangeListSearchForm
from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.db.models.options import Options
from django.http import HttpRequest, HttpResponse

from athena.api import fields
from athena.api.row_ids import parse_id
from athena.db.constraints import find_number_limits
from athena.limits import MAX_AMOUNT

COMPARISONS = ("exact", "in", "isnull", "gte", "gt", "lte", "lt")
DAY_PARTS = {"year": fields.YEARS, "month": range(1, 13), "day": range(1, 32)}  # the parts of a date hierarchy
MAX_VALUES = 200  # in one address, and in one `__in`
MAX_TEXT = 200
MAX_WORDS = 20  # in one search: each word is searched in each row


class LimitedSearchForm(ChangeListSearchForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        messages = {"max_length": f"Search for at most {MAX_TEXT} characters."}
        self.fields["q"] = forms.CharField(required=False, max_length=MAX_TEXT, error_messages=messages)

    def clean_q(self) -> str:
        text: str = self.cleaned_data["q"]
        if len(text.split()) > MAX_WORDS:
            raise ValidationError(f"Search for at most {MAX_WORDS} words.")
        return text


class LimitedChangeList(ChangeList):
    """A list with a limited number of filter values. An invalid search finds nothing."""

    search_form_class = LimitedSearchForm

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Any, Any]":
        if sum(map(len, self.filter_params.values())) > MAX_VALUES:
            raise IncorrectLookupParameters
        rows: QuerySet[Any, Any] = super().get_queryset(request, exclude_parameters)
        return rows if self.search_form_class(request.GET).is_valid() else rows.none()

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any, Any]") -> list[Any]:
        """Order by each column once: databases limit the number of columns."""
        return list(dict.fromkeys(super().get_ordering(request, queryset)))


def is_comparison(options: "Options[Any]", lookup: str, date_hierarchy: str | None) -> bool:
    """Whether a lookup compares a column of this table. True for other names, which may be filters of the list."""
    name, *rest = lookup.split("__")
    field = _find_column(options, name)
    if field is None:
        return True
    if not field.concrete:
        return False
    if field.is_relation and rest and rest[0] in (field.target_field.name, field.target_field.attname, "pk"):
        rest = rest[1:]
    known = (*COMPARISONS, *DAY_PARTS) if name == date_hierarchy else COMPARISONS
    return not rest or (len(rest) == 1 and rest[0] in known)


def require_value(options: "Options[Any]", lookup: str, text: str) -> None:
    """Raise `IncorrectLookupParameters` if the column or filter cannot be compared with this text."""
    name, *rest = lookup.split("__")
    field, last = _find_column(options, name), rest[-1] if rest else ""
    if fields.find_text_error(text, one_line=False):
        raise IncorrectLookupParameters
    if field is None or last == "isnull":
        values = [text]
        field = None
    else:
        values = text.split(",") if last == "in" else [text]
    if len(values) > MAX_VALUES or any(len(value) > MAX_TEXT for value in values):
        raise IncorrectLookupParameters
    allowed = next((DAY_PARTS[part] for part in rest if part in DAY_PARTS), None)
    if allowed is not None:
        if not (text.isascii() and text.isdigit() and int(text) in allowed):
            raise IncorrectLookupParameters
    elif field is not None and not all(_can_hold(field, value) for value in values):
        raise IncorrectLookupParameters


def _find_column(options: "Options[Any]", name: str) -> Any:
    try:
        return options.pk if name == "pk" else options.get_field(name)
    except FieldDoesNotExist:
        return None


def _can_hold(field: Any, text: str) -> bool:
    """Whether the column can hold the value of `text`."""
    if field.is_relation:
        field = field.target_field  # type: ignore[attr-defined]
    try:
        value = field.to_python(text)
    except ValidationError:
        return False
    if isinstance(value, date):
        return fields.is_in_allowed_years(value)
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value) <= MAX_AMOUNT
    if isinstance(value, int) and not isinstance(value, bool):
        _, high = find_number_limits(field)
        return abs(value) <= (high or fields.MAX_ID)
    return True


class ListPages(admin.ModelAdmin):  # type: ignore[type-arg]
    """The base of all admin lists."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LimitedChangeList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        if not is_comparison(self.opts, lookup, self.date_hierarchy):
            return False
        if not super().lookup_allowed(lookup, value, request):
            return False
        require_value(self.opts, lookup, str(value))
        return True

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Raises `IncorrectLookupParameters`, which redirects to the whole list, or then `BadRequest`."""
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            if ERROR_FLAG in request.GET:
                raise BadRequest("The address has a filter that this list does not support.") from error
            messages.error(request, "The address had a filter that this list does not support. This is the whole list.")
            raise

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not all(map(parse_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest("No row can have such an id.")
        return super().changelist_view(request, extra_context)
