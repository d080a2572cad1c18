"""Keyset pagination: each page starts after the last row of the page before, even if rows come and go."""

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from django.core import signing
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api.keyset import Keyset

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
DEFAULT_ARRAY_LIMIT = 1_000
PAGE_PARAMETERS = ("limit", "cursor", "ordering", "count")
ARRAY_PARAMETERS = ("limit", "cursor")
ARRAY_SCHEMA = [  # the schema of the parameters of `array_response`
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
    OpenApiParameter(
        "cursor", str, description="From the Link header of the response, which has the address of the next page."
    ),
]
_SALT = "athena.http.pagination"  # must not change: cursors that were signed before an upgrade stay valid


class Pageable(Protocol):
    """A list that can be read from a position on: a `Keyset`, or the timeline of a lead."""

    name: str

    def read(self, limit: int, position: Sequence[Any] | None, backwards: bool = ...) -> list[dict[str, Any]]: ...

    def get_position(self, row: dict[str, Any]) -> list[Any]: ...

    def without_order_columns(self, row: dict[str, Any]) -> dict[str, Any]: ...


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}` of a viewset that declares `orderings` and `default_ordering`.

    `orderings` maps a public name to a column or annotation of the rows, a `.values()` queryset. Equal rows are ordered
    by id, and NULLs come last in both directions.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        names = [sign + name for name in view.orderings for sign in ("", "-")]
        ordering = read_choice(request, "ordering", names, view.default_ordering)
        column = view.orderings[ordering.removeprefix("-")]
        keyset = Keyset(queryset, [f"-{column}" if ordering.startswith("-") else column])
        self.count = queryset.order_by().count() if _read_flag(request, "count") else None
        return self.read_page(keyset, request)

    def read_page(self, keyset: Pageable, request: Request) -> list[Any]:
        """The rows of the requested page. Sets `next` and `previous`, the addresses of its neighbors."""
        self.request = request
        limit = read_limit(request, DEFAULT_LIMIT, MAX_LIMIT)
        backwards, position = _decode_cursor(request, keyset) if "cursor" in request.query_params else (False, None)
        rows = keyset.read(limit + 1, position, backwards)
        has_more = len(rows) > limit
        rows = rows[:limit][::-1] if backwards else rows[:limit]
        has_next, has_previous = (
            (bool(rows), has_more) if backwards else (has_more, bool(rows) and position is not None)
        )
        ends = [keyset.get_position(row) for row in (rows[0], rows[-1])] if rows else []
        self.previous = _build_link(request, keyset, True, ends[0]) if has_previous else None
        self.next = _build_link(request, keyset, False, ends[-1]) if has_next else None
        return [keyset.without_order_columns(row) for row in rows]

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


class FixedOrderPagination(KeysetPagination):
    """Pages of a list that has one fixed order and no count. Read them with `read_page`."""

    count = None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        return [parameter for parameter in parameters if parameter["name"] in ARRAY_PARAMETERS]


def array_response(
    request: Request, queryset: "QuerySet[Any, Any]", *, default_limit: int = DEFAULT_ARRAY_LIMIT
) -> Response:
    """An ordered `.values()` queryset as a bare JSON array. A `Link: …; rel="next"` header names the next page, if any.

    Reads the parameters `limit` and `cursor` (`ARRAY_PARAMETERS`).
    """
    limit = read_limit(request, default_limit, MAX_LIMIT)
    keyset = Keyset(queryset, queryset.query.order_by)
    _, position = _decode_cursor(request, keyset) if "cursor" in request.query_params else (False, None)
    if position is None and limit == DEFAULT_ARRAY_LIMIT:  # the usual case: all rows fit
        rows = keyset.first(limit + 1)
        if len(rows) <= limit:
            return Response(rows)
    rows = keyset.read(limit + 1, position)
    response = Response([keyset.without_order_columns(dict(row)) for row in rows[:limit]])
    if len(rows) > limit:
        response["Link"] = f'<{_build_link(request, keyset, False, keyset.get_position(rows[limit - 1]))}>; rel="next"'
    return response


def read_limit(request: Request, default: int, maximum: int) -> int:
    """The `limit` parameter: 1 to `maximum`, or `default` if it is not given. Raises `ValidationError`."""
    if "limit" not in request.query_params:
        return default
    text = _read_once(request, "limit")
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= maximum):
        raise ValidationError({"limit": [f"A whole number from 1 to {maximum} is required."]})
    return int(text)


def read_choice(request: Request, name: str, choices: Sequence[str], default: str) -> str:
    value = _read_once(request, name) if name in request.query_params else default
    if value not in choices:
        raise ValidationError({name: [f"Choose one of: {', '.join(choices)}."]})
    return value


def _read_flag(request: Request, name: str) -> bool:
    return read_choice(request, name, ("true", "false"), "false") == "true"


def _read_once(request: Request, name: str) -> str:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise ValidationError({name: ["Give this parameter once."]})
    return str(values[0])


def _build_link(request: Request, keyset: Pageable, backwards: bool, position: Sequence[Any]) -> str:
    """The address of this request with a cursor, which is signed so that clients cannot make up positions."""
    parameters = request.query_params.copy()
    parameters["cursor"] = signing.dumps([keyset.name, backwards, *position], salt=_SALT)
    query = urlencode([(name, value) for name, values in parameters.lists() for value in values])
    return request.build_absolute_uri(f"{request.path}?{query}")


def _decode_cursor(request: Request, keyset: Pageable) -> tuple[bool, list[Any]]:
    try:
        name, backwards, *position = signing.loads(_read_once(request, "cursor"), salt=_SALT)
    except signing.BadSignature as error:
        raise _invalid_cursor() from error
    if name != keyset.name:
        raise _invalid_cursor()
    return backwards, position


def _invalid_cursor() -> ValidationError:
    return ValidationError({"cursor": ["This is not a cursor for this list in this order."]})


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}
