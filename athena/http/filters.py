"""Query parameters: what is unknown, unreadable or empty is a 400 that names the parameter."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from athena.http import fields
from athena.http.pagination import PARAMETERS
from athena.http.serializers import StrictSerializer

_ALWAYS = {"format"}


class _StrictField:
    """A form field (as django-filter wants one) around one of our strict fields; many values are an OR."""

    def __init__(self, field: serializers.Field, many: bool) -> None:  # type: ignore[type-arg]
        self.field, self.many = field, many

    def read(self, values: Sequence[str]) -> Any:
        if not self.many and len(values) > 1:
            raise serializers.ValidationError("Give this parameter once.")
        if any(value == "" for value in values):
            raise serializers.ValidationError("This parameter may not be empty.")
        self.field._context = {"query": True}  # type: ignore[attr-defined]
        read = [self.field.run_validation(value) for value in values]
        return read if self.many else read[0]


class StrictFilter(django_filters.Filter):
    """A filter whose values are read by one of the strict fields. `many`: repeated, the values are an OR."""

    many = False

    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        raise NotImplementedError(type(self).__name__)

    def read(self, values: Sequence[str]) -> Any:
        return _StrictField(self.strict_field(), self.many).read(values)

    def filter(self, qs: Any, value: Any) -> Any:
        return qs.filter(**{f"{self.field_name}__{self.lookup_expr}": value})


class ChoicesFilter(StrictFilter):
    many = True

    def __init__(self, *, choices: Sequence[tuple[str, Any]], **options: Any) -> None:
        self.choices = choices
        super().__init__(**{"lookup_expr": "in", **options})

    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        return fields.ChoiceField(choices=self.choices)


class IdsFilter(StrictFilter):
    """One or more ids; with `or_none`, `none` stands for the rows that have none."""

    many = True

    def __init__(self, *, or_none: bool = False, **options: Any) -> None:
        self.or_none = or_none
        super().__init__(**{"lookup_expr": "in", **options})

    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
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
    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        return fields.IntegerField(min_value=-(2**31), max_value=2**31 - 1)


class MomentFilter(StrictFilter):
    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        return fields.MomentField()


class DayFilter(StrictFilter):
    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        return fields.DateField()


class FlagFilter(StrictFilter):
    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        return fields.BooleanField()


class TextFilter(StrictFilter):
    def strict_field(self) -> serializers.Field:  # type: ignore[type-arg]
        return fields.OneLineField(max_length=200)


class StrictFilterSet(django_filters.FilterSet):
    """Filters that combine by AND. Made of the strict filters above."""

    def read(self, parameters: QueryDict, others: Sequence[str] = ()) -> dict[str, Any]:
        """The values of the parameters that are there. Raises `ValidationError` naming each that is wrong."""
        wrong: dict[str, Any] = {
            name: ["Unknown parameter."] for name in parameters if name not in {*self.filters, *others, *_ALWAYS}
        }
        values = {}
        for name, each in self.filters.items():
            if name in parameters:
                try:
                    values[name] = each.read(parameters.getlist(name))
                except serializers.ValidationError as error:
                    wrong[name] = error.detail
        if wrong:
            raise ValidationError(wrong)
        return values

    def apply(self, queryset: "QuerySet[Any, Any]", values: dict[str, Any]) -> "QuerySet[Any, Any]":
        for name, value in values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset


class StrictFilterBackend(DjangoFilterBackend):
    """Asks a view's `filterset_class` strictly. A view without one takes the parameters of its pages alone."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = getattr(view, "filterset_class", None) or StrictFilterSet
        bound = filterset(data=request.query_params, queryset=queryset, request=request)
        return bound.apply(queryset, bound.read(request.query_params, PARAMETERS))


def query_values(request: Request, shape: type[StrictSerializer], also: Sequence[str] = ()) -> dict[str, Any]:
    """The query parameters of a verb, read by a serializer. Each may be given once; unknown ones are refused."""
    wrong, given = {}, {}
    for name, values in request.query_params.lists():
        if name in (*also, *_ALWAYS):
            continue
        if len(values) > 1:
            wrong[name] = ["Give this parameter once."]
        elif values[0] == "":
            wrong[name] = ["This parameter may not be empty."]
        given[name] = values[0]
    if wrong:
        raise ValidationError(wrong)
    serializer = shape(data=given, context={"query": True})
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values
