"""Pages that stay right while rows come and go: each begins after the last row of the one before (keyset)."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import F, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
ARRAY_LIMIT = 1_000
PARAMETERS = ("limit", "cursor", "ordering", "count")


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}` of a viewset that declares `orderings` and `default_ordering`.

    `orderings` maps a public name to a column of the rows; ties break by id and NULLs come last both ways.
    """

    def paginate_queryset(self, queryset: "QuerySet[Any, Any]", request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.limit = limit_of(request, DEFAULT_LIMIT, MAX_LIMIT)
        column, descending = self._ordering(view)
        keyset = _Keyset(queryset.model, column, descending)
        wants_count = choice_of(request, "count", ("true", "false"), "false")
        self.count = queryset.order_by().count() if wants_count == "true" else None
        cursor = request.query_params.get("cursor")
        backwards, at = (False, None) if cursor is None else _decode(cursor)
        rows = list(keyset.after(queryset, at, backwards)[: self.limit + 1])
        more = len(rows) > self.limit
        rows = rows[: self.limit]
        if backwards:
            rows.reverse()
        key = keyset.key_of
        has_next, has_previous = (bool(rows), more) if backwards else (more, at is not None and bool(rows))
        self.next = self._link(False, key(rows[-1])) if has_next else None
        self.previous = self._link(True, key(rows[0])) if has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        page = {"next": self.next, "previous": self.previous, "results": data}
        return Response(page if self.count is None else {**page, "count": self.count})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema, "count": {"type": "integer"}},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [sign + name for name in view.orderings for sign in ("", "-")]
        return [
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
            _parameter("cursor", {"type": "string"}),
            _parameter("ordering", {"type": "string", "enum": names, "default": view.default_ordering}),
            _parameter("count", {"type": "boolean", "default": False}),
        ]

    def _ordering(self, view: Any) -> tuple[str, bool]:
        names = [sign + name for name in view.orderings for sign in ("", "-")]
        name = choice_of(self.request, "ordering", names, view.default_ordering)
        return view.orderings[name.removeprefix("-")], name.startswith("-")

    def _link(self, backwards: bool, key: Sequence[Any]) -> str:
        return link_to(self.request, cursor=_encode(backwards, key))


class _Keyset:
    """The order of a list, and the condition that says what comes after a row of it."""

    def __init__(self, model: Any, column: str, descending: bool) -> None:
        self.column, self.descending = column, descending
        field = model._meta.pk if column in ("pk", "id") else model._meta.get_field(column)
        self.field, self.nullable = field, field.null

    def key_of(self, row: dict[str, Any]) -> tuple[Any, Any]:
        value = row[self.column]
        return (None if value is None else self.field.value_to_string(_Holder(self.field, value)), row["id"])

    def after(self, queryset: Any, at: Sequence[Any] | None, backwards: bool) -> Any:
        descending = self.descending != backwards
        order = [F("id").desc() if descending else F("id").asc()]
        if self.column != "id":
            by = F(self.column)
            nulls = ({"nulls_first": True} if backwards else {"nulls_last": True}) if self.nullable else {}
            order.insert(0, by.desc(**nulls) if descending else by.asc(**nulls))
        if at is not None:
            queryset = queryset.filter(self._beyond(at, descending, backwards))
        return queryset.order_by(*order)

    def _beyond(self, at: Sequence[Any], descending: bool, backwards: bool) -> Q:
        try:
            value, pk = at
            value = None if value is None else self.field.to_python(value)
            pk = int(pk)
        except (TypeError, ValueError, ModelValidationError) as error:
            raise _bad_cursor() from error
        step = "lt" if descending else "gt"
        same = Q(**{f"{self.column}__isnull": True}) if value is None else Q(**{self.column: value})
        tie = same & Q(**{f"id__{step}": pk})
        if self.column == "id":
            return Q(**{f"id__{step}": pk})
        if value is None:
            return tie | Q(**{f"{self.column}__isnull": False}) if backwards else tie
        beyond = Q(**{f"{self.column}__{step}": value}) | tie
        if self.nullable and not backwards:
            beyond |= Q(**{f"{self.column}__isnull": True})
        return beyond


class _Holder:
    """Lets a field write the value that stands in a row of dicts."""

    def __init__(self, field: Any, value: Any) -> None:
        setattr(self, field.attname, value)


def array_response(request: Request, queryset: "QuerySet[Any, Any]", *, default_limit: int = ARRAY_LIMIT) -> Response:
    """An ordered queryset of rows as a bare array; where it goes on, a `Link: …; rel="next"` header says where.

    Pages of arrays count rows (`cursor` is how many came before), since their order is the specification's.
    """
    limit = limit_of(request, default_limit, max(default_limit, MAX_LIMIT))
    cursor = request.query_params.get("cursor", "0")
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
        raise _bad_cursor()
    rows = list(queryset[int(cursor) : int(cursor) + limit + 1])
    response = Response(rows[:limit])
    if len(rows) > limit:
        response["Link"] = f'<{link_to(request, cursor=str(int(cursor) + limit))}>; rel="next"'
    return response


def limit_of(request: Request, default: int, most: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most):
        raise ValidationError({"limit": [f"A whole number from 1 to {most} is required."]})
    return int(text)


def choice_of(request: Request, name: str, choices: Sequence[str], default: str) -> str:
    value = request.query_params.get(name, default)
    if value not in choices:
        raise ValidationError({name: [f"Must be one of {', '.join(choices)}."]})
    return str(value)


def link_to(request: Request, **changes: str) -> str:
    """This request's address with some parameters changed."""
    parameters = request.query_params.copy()
    for name, value in changes.items():
        parameters[name] = value
    query = urlencode([(name, value) for name, values in parameters.lists() for value in values])
    return str(request.build_absolute_uri(f"{request.path}?{query}"))


def _encode(backwards: bool, key: Sequence[Any]) -> str:
    text = json.dumps([int(backwards), *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[bool, list[Any]]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        backwards, *key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise _bad_cursor() from error
    if backwards not in (0, 1) or len(key) != 2 or type(key[1]) is not int or not isinstance(key[0], str | None):
        raise _bad_cursor()
    return bool(backwards), key


def _bad_cursor() -> ValidationError:
    return ValidationError({"cursor": ["This cursor is not one of ours."]})


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}
