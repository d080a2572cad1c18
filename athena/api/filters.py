"""Strict filters and query parameters: an unknown, invalid or empty parameter is a 400 error that names it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes
from zoneinfo import ZoneInfo

import django_filters
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from athena.api import fields
from athena.api.pagination import PAGE_PARAMETERS
from athena.api.serializers import StrictSerializer

DAY = timedelta(days=1)
AnyField = serializers.Field[Any, Any, Any, Any]


class StrictFilter(django_filters.Filter):
    """A filter whose values are read by a strict field. With `many`, repeated values are combined by OR."""

    many = False
    schema: dict[str, Any] = {"type": "string"}

    def make_field(self) -> AnyField:
        """The field that reads one value."""
        raise NotImplementedError(type(self).__name__)

    def read(self, values: Sequence[str]) -> Any:
        """The parsed value, or a list of values with `many`. Raises `ValidationError`."""
        if not self.many and len(values) > 1:
            raise ValidationError("Give this parameter once.")
        if "" in values:
            raise ValidationError("This parameter may not be empty.")
        field = self.make_field()
        field._context = {"query": True}  # type: ignore[attr-defined]
        parsed = [field.run_validation(value) for value in values]
        return parsed if self.many else parsed[0]

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": value})

    def parameter(self, name: str) -> dict[str, Any]:
        """The OpenAPI description of the parameter."""
        schema = {"type": "array", "items": self.schema} if self.many else self.schema
        shown = {"name": name, "in": "query", "required": False, "schema": schema}
        return shown | ({"description": str(self.extra["help_text"])} if self.extra.get("help_text") else {})


class ChoicesFilter(StrictFilter):
    many = True

    def __init__(self, *, choices: Sequence[tuple[str, Any]], **options: Any) -> None:
        self.choices = choices
        self.schema = {"type": "string", "enum": [name for name, _ in choices]}
        super().__init__(**{"lookup_expr": "in", **options})

    def make_field(self) -> AnyField:
        return fields.ChoiceField(choices=self.choices)


class IdsFilter(StrictFilter):
    """One or more ids; with `or_none`, `none` matches the rows without one."""

    many = True
    schema = {"type": "integer", "minimum": 1}

    def __init__(self, *, or_none: bool = False, **options: Any) -> None:
        self.or_none = or_none
        if or_none:
            self.schema = {"oneOf": [IdsFilter.schema, {"type": "string", "enum": ["none"]}]}
        super().__init__(**{"lookup_expr": "in", **options})

    def make_field(self) -> AnyField:
        return _IdOrNone() if self.or_none else fields.IdField()

    def filter(self, qs: Any, value: Any) -> Any:
        condition = Q(**{f"{self.field_name}__in": [key for key in value if key is not None]})
        if None in value:
            condition |= Q(**{f"{self.field_name}__isnull": True})
        return qs.filter(condition)


class _IdOrNone(fields.IdField):
    def run_validation(self, data: Any = serializers.empty) -> Any:
        return None if data == "none" else super().run_validation(data)


class IntegerFilter(StrictFilter):
    schema = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}

    def make_field(self) -> AnyField:
        return fields.IntegerField(min_value=-(2**31), max_value=2**31 - 1)


class DateFilter(StrictFilter):
    schema = {"type": "string", "format": "date"}

    def make_field(self) -> AnyField:
        return fields.DateField()


class _RangeEnd(StrictFilter):
    """One end of a range, inclusive: `_after` and `_before` mean the same in every filter."""

    lookup: ClassVar[str]
    side: ClassVar[str]
    about: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"lookup_expr": self.lookup, "help_text": f"{self.side} {self.about}", **options})


class _DateTimeRangeEnd(_RangeEnd):
    """A range end for a datetime column: a datetime with an offset, or a day in the company's time zone."""

    about = (
        "this date or datetime, inclusive. A date is a whole day in the company's time zone (COMPANY_TIME_ZONE); "
        "a datetime needs an offset."
    )
    schema = {"type": "string", "example": "2026-05-01"}

    def make_field(self) -> AnyField:
        return fields.DateOrDateTimeField()

    def filter(self, qs: Any, value: Any) -> Any:
        if isinstance(value, datetime):
            return super().filter(qs, value)
        start, end = (
            datetime.combine(day, time(), ZoneInfo(settings.COMPANY_TIME_ZONE)) for day in (value, value + DAY)
        )
        condition = {"gte": {"gte": start}, "lte": {"lt": end}}[self.lookup]
        return qs.filter(**{f"{self.field_name}__{lookup}": instant for lookup, instant in condition.items()})


class _DateRangeEnd(_RangeEnd):
    """A range end for a date column."""

    about = "this date, inclusive. Dates are those of the assignee's calendar."
    schema = DateFilter.schema

    def make_field(self) -> AnyField:
        return fields.DateField()


class After:
    lookup, side = "gte", "On or after"


class Before:
    lookup, side = "lte", "On or before"


class DateTimeAfterFilter(After, _DateTimeRangeEnd): ...


class DateTimeBeforeFilter(Before, _DateTimeRangeEnd): ...


class DateAfterFilter(After, _DateRangeEnd): ...


class DateBeforeFilter(Before, _DateRangeEnd): ...


class BooleanFilter(StrictFilter):
    schema = {"type": "boolean"}

    def make_field(self) -> AnyField:
        return fields.BooleanField()


class TextFilter(StrictFilter):
    schema = {"type": "string", "maxLength": 200}

    def make_field(self) -> AnyField:
        return fields.OneLineField(max_length=200, allow_blank=False)


class StrictFilterSet(django_filters.FilterSet):
    """A set of strict filters, which are combined by AND."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared = getattr(cls, "declared_filters", {})
        not_strict = [name for name, filter_ in declared.items() if not isinstance(filter_, StrictFilter)]
        if not_strict:
            raise TypeError(f"{cls.__name__} has filters that are not strict: {', '.join(not_strict)}")
        for suffix, base in (("_after", After), ("_before", Before)):
            for name, filter_ in declared.items():
                if name.endswith(suffix) and not isinstance(filter_, base):
                    raise TypeError(f"{cls.__name__}.{name} is not an inclusive range filter")

    def read(self, parameters: QueryDict, others: Iterable[str] = ()) -> dict[str, Any]:
        """The values of the given parameters. Raises `ValidationError` that names each invalid one.

        `others` are parameters that are read elsewhere.
        """
        errors: dict[str, Any] = _find_unknown(parameters, {*self.filters, *others})
        values = {}
        for name, filter_ in self.filters.items():
            if name in parameters:
                try:
                    values[name] = filter_.read(parameters.getlist(name))
                except ValidationError as error:
                    errors[name] = error.detail
        if errors:
            raise ValidationError(errors)
        return values

    def apply(self, queryset: "QuerySet[Any, Any]", values: dict[str, Any]) -> "QuerySet[Any, Any]":
        for name, value in values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset


class StrictFilterBackend(BaseFilterBackend):
    """Applies a view's `filterset_class`. A view without one accepts only the parameters of pagination."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = getattr(view, "filterset_class", None) or StrictFilterSet
        bound = filterset(data=request.query_params, queryset=queryset, request=request)
        return bound.apply(queryset, bound.read(request.query_params, PAGE_PARAMETERS))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        filterset = getattr(view, "filterset_class", None)
        return [filter_.parameter(name) for name, filter_ in (filterset.base_filters if filterset else {}).items()]


def read_query(request: Request, serializer_class: type[StrictSerializer], also: Iterable[str] = ()) -> dict[str, Any]:
    """The query parameters of an action, read by a serializer. Each may be given once; unknown ones are refused.

    `also` names parameters that are read elsewhere (such as those of pagination). Raises `ValidationError`.
    """
    known = serializer_class().fields
    errors = _find_unknown(request.query_params, {*known, *also})
    given = {name: values for name, values in request.query_params.lists() if name in known}
    errors |= {name: ["Give this parameter once."] for name, values in given.items() if len(values) > 1}
    errors |= {name: ["This parameter may not be empty."] for name, values in given.items() if "" in values}
    if errors:
        raise ValidationError(errors)
    bound = serializer_class(data={name: value for name, (value,) in given.items()}, context={"query": True})
    bound.is_valid(raise_exception=True)
    values: dict[str, Any] = bound.validated_data
    return values


def require_utf8(query: bytes) -> None:
    """Check that a query string is UTF-8. Raises `ValidationError` that names each parameter that is not."""
    errors = {}
    for part in query.split(b"&"):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            errors[unquote_to_bytes(part.partition(b"=")[0]).decode(errors="replace")] = ["This is not UTF-8."]
    if errors:
        raise ValidationError(errors)


def _find_unknown(parameters: QueryDict, known: set[str]) -> dict[str, Any]:
    unknown = (name for name in parameters if name not in known)
    return {name: ["There is no such parameter."] for name in islice(unknown, fields.MAX_REPORTED_ERRORS)}
