"""Query parameters: what is unknown, unreadable or empty is a 400 that names the parameter."""

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
    """A filter whose values are read by a strict field. `many`: repeated, the values are an OR."""

    many = False
    schema: dict[str, Any] = {"type": "string"}

    def make_field(self) -> AnyField:
        raise NotImplementedError(type(self).__name__)

    def read(self, values: Sequence[str]) -> Any:
        """The values as Python has them. Raises `ValidationError`."""
        if not self.many and len(values) > 1:
            raise ValidationError("Give this parameter once.")
        if "" in values:
            raise ValidationError("This parameter may not be empty.")
        field = self.make_field()
        field._context = {"query": True}  # type: ignore[attr-defined]
        found = [field.run_validation(value) for value in values]
        return found if self.many else found[0]

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": value})

    def parameter(self, name: str) -> dict[str, Any]:
        """How the schema describes it."""
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
    """One or more ids; with `or_none`, `none` stands for the rows that have none."""

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
        wanted = Q(**{f"{self.field_name}__in": [each for each in value if each is not None]})
        if None in value:
            wanted |= Q(**{f"{self.field_name}__isnull": True})
        return qs.filter(wanted)


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


class _Bound(StrictFilter):
    """One end of a range. It belongs to the range: `_before` and `_after` mean the same for every filter."""

    lookup: ClassVar[str]
    side: ClassVar[str]
    about: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"lookup_expr": self.lookup, "help_text": f"{self.side} {self.about}", **options})


class _DateTimeBound(_Bound):
    """Of a column of instants: a time with an offset, or a day, which is a whole day where the company is."""

    about = (
        "this day or time, which is included. A day is a whole day where the company is (COMPANY_TIME_ZONE); "
        "a time has an offset."
    )
    schema = {"type": "string", "example": "2026-05-01"}

    def make_field(self) -> AnyField:
        return fields.DateOrDateTimeField()

    def filter(self, qs: Any, value: Any) -> Any:
        if isinstance(value, datetime):
            return super().filter(qs, value)
        begins, ends = (
            datetime.combine(day, time(), ZoneInfo(settings.COMPANY_TIME_ZONE)) for day in (value, value + DAY)
        )
        condition = {"gte": {"gte": begins}, "lte": {"lt": ends}}[self.lookup]
        return qs.filter(**{f"{self.field_name}__{lookup}": moment for lookup, moment in condition.items()})


class _DateBound(_Bound):
    """Of a column of days, which are days of the calendar of whoever the row is about."""

    about = "this day, which is included. The days are those of the assignee's calendar."
    schema = DateFilter.schema

    def make_field(self) -> AnyField:
        return fields.DateField()


class After:
    lookup, side = "gte", "On or after"


class Before:
    lookup, side = "lte", "On or before"


class DateTimeAfterFilter(After, _DateTimeBound): ...


class DateTimeBeforeFilter(Before, _DateTimeBound): ...


class DateAfterFilter(After, _DateBound): ...


class DateBeforeFilter(Before, _DateBound): ...


class BooleanFilter(StrictFilter):
    schema = {"type": "boolean"}

    def make_field(self) -> AnyField:
        return fields.BooleanField()


class TextFilter(StrictFilter):
    schema = {"type": "string", "maxLength": 200}

    def make_field(self) -> AnyField:
        return fields.OneLineField(max_length=200, allow_blank=False)


class StrictFilterSet(django_filters.FilterSet):
    """Filters that combine by AND. Made of the strict filters above."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        loose = [
            name for name, each in getattr(cls, "declared_filters", {}).items() if not isinstance(each, StrictFilter)
        ]
        if loose:
            raise TypeError(f"{cls.__name__} has filters that are not strict: {', '.join(loose)}")
        for end, kind in (("_after", After), ("_before", Before)):
            for name, each in getattr(cls, "declared_filters", {}).items():
                if name.endswith(end) and not isinstance(each, kind):
                    raise TypeError(f"{cls.__name__}.{name} is not a filter that includes its day")

    def read(self, parameters: QueryDict, others: Iterable[str] = ()) -> dict[str, Any]:
        """The values of the parameters that are there. Raises `ValidationError` naming each that is wrong."""
        wrong: dict[str, Any] = _unknown(parameters, {*self.filters, *others})
        values = {}
        for name, each in self.filters.items():
            if name in parameters:
                try:
                    values[name] = each.read(parameters.getlist(name))
                except ValidationError as error:
                    wrong[name] = error.detail
        if wrong:
            raise ValidationError(wrong)
        return values

    def apply(self, queryset: "QuerySet[Any, Any]", values: dict[str, Any]) -> "QuerySet[Any, Any]":
        for name, value in values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset


class StrictFilterBackend(BaseFilterBackend):
    """Asks a view's `filterset_class` strictly. A view without one takes the parameters of its pages alone."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = getattr(view, "filterset_class", None) or StrictFilterSet
        bound = filterset(data=request.query_params, queryset=queryset, request=request)
        return bound.apply(queryset, bound.read(request.query_params, PAGE_PARAMETERS))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        filterset = getattr(view, "filterset_class", None)
        return [each.parameter(name) for name, each in (filterset.base_filters if filterset else {}).items()]


def read_query(request: Request, shape: type[StrictSerializer], also: Iterable[str] = ()) -> dict[str, Any]:
    """The query parameters of a verb, read by a serializer. Each may be given once; unknown ones are refused.

    `also` names parameters that somebody else reads (such as the page's). Raises `ValidationError`.
    """
    readable = shape().fields
    wrong = _unknown(request.query_params, {*readable, *also})
    given = {name: values for name, values in request.query_params.lists() if name in readable}
    wrong |= {name: ["Give this parameter once."] for name, values in given.items() if len(values) > 1}
    wrong |= {name: ["This parameter may not be empty."] for name, values in given.items() if "" in values}
    if wrong:
        raise ValidationError(wrong)
    bound = shape(data={name: value for name, (value,) in given.items()}, context={"query": True})
    bound.is_valid(raise_exception=True)
    values: dict[str, Any] = bound.validated_data
    return values


def require_utf8(query: bytes) -> None:
    """That a query is text: each parameter that is not is named. Raises `ValidationError`."""
    wrong = {}
    for part in query.split(b"&"):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            wrong[unquote_to_bytes(part.partition(b"=")[0]).decode(errors="replace")] = ["This is not UTF-8."]
    if wrong:
        raise ValidationError(wrong)


def _unknown(parameters: QueryDict, known: set[str]) -> dict[str, Any]:
    strange = (name for name in parameters if name not in known)
    return {name: ["There is no such parameter."] for name in islice(strange, fields.MAX_REPORTED_ERRORS)}
