"""Statements over many rows: their number does not grow with the rows, nor do their parameters."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, JSONField, Model, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, tuple[Any, ...]]


class AmongKeys(Func):
    """Whether a key is one of `ids`, which travel as one parameter however many they are."""

    output_field = BooleanField()

    def __init__(self, key: str, ids: Iterable[int]) -> None:
        super().__init__(F(key), Value(",".join(map(str, ids))))

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self.as_sql(  # type: ignore[return-value]
            compiler, connection, template="(%(expressions)s, ',')::bigint[]))", arg_joiner=" = ANY(string_to_array("
        )

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self.as_sql(  # type: ignore[return-value]
            compiler,
            connection,
            template="(%(expressions)s || ']')))",
            arg_joiner=" IN (SELECT value FROM json_each('[' || ",
        )


def insert_from(model: type[Model], queryset: "QuerySet[Any, Any]", **columns: Combinable) -> int:
    """INSERT … SELECT: a row of `model` for each row of `queryset`, each column by its expression. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(*insertion_from(model, queryset, **columns))
        return int(cursor.rowcount)


def insertion_from(model: type[Model], queryset: "QuerySet[Any, Any]", **columns: Combinable) -> Sql:
    """The statement of `insert_from`."""
    chosen = queryset.order_by().annotate(**{f"new_{name}": each for name, each in columns.items()})
    sql, parameters = chosen.values_list(*(f"new_{name}" for name in columns)).query.sql_with_params()
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in _fields(model, columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) {sql}", tuple(parameters)


def insertion_of(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Sql:
    """INSERT … SELECT: the statement that writes these rows."""
    fields = _fields(model, columns)
    element, source = _json_rows()
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(element(place, field.db_type(connection)) for place, field in enumerate(fields))
    table = quote(model._meta.db_table)
    # Without a WHERE at the end, SQLite takes the ON of an ON CONFLICT for a join's.
    sql = f"INSERT INTO {table} ({names}) SELECT {values} FROM {source} WHERE TRUE"  # noqa: S608
    return sql, (_as_json([_stored(fields, row) for row in rows]),)


def update_own(model: type[Model], columns: Sequence[str], values: Mapping[int, Sequence[Any]]) -> int:
    """UPDATE … FROM: set `columns` of each row, found by its key, to its own values. Returns how many it changed."""
    fields = _fields(model, columns)
    rows = [[key, *_stored(fields, row)] for key, row in values.items()]
    element, source = _json_rows()
    quote = connection.ops.quote_name
    sets = ", ".join(
        f"{quote(field.column)} = {element(place, field.db_type(connection))}"
        for place, field in enumerate(fields, start=1)
    )
    table = quote(model._meta.db_table)
    sql = f"UPDATE {table} SET {sets} FROM {source} WHERE {table}.{quote('id')} = {element(0, 'bigint')}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [_as_json(rows)])
        return int(cursor.rowcount)


def add_up(model: type[Model], keys: Mapping[str, Any], amounts: Mapping[str, float]) -> tuple[Any, ...]:
    """INSERT … ON CONFLICT DO UPDATE: add to the one row with these keys, made where missing. Returns the sums."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = [quote(field.column) for field in _fields(model, (*keys, *amounts))]
    unique, summed = columns[: len(keys)], columns[len(keys) :]
    sets = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in summed)
    sql = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {sets} RETURNING {', '.join(summed)}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*keys.values(), *amounts.values()])
        sums: tuple[Any, ...] = cursor.fetchone()
    return sums


def _fields(model: type[Model], names: Iterable[str]) -> list[Any]:
    return [model._meta.get_field(name) for name in names]


def _stored(fields: Sequence[Any], row: Sequence[Any]) -> list[Any]:
    """A row's values as the database stores them; a JSON column's as text."""
    return [
        json.dumps(value, cls=field.encoder)
        if isinstance(field, JSONField)
        else field.get_db_prep_save(value, connection)
        for field, value in zip(fields, row, strict=True)
    ]


def _as_json(rows: list[list[Any]]) -> str:
    return json.dumps(rows, default=str)


def _json_rows() -> tuple[Callable[[int, str | None], str], str]:
    """How SQL reads a parameter of JSON rows: an element of a row as a type, and the rows."""
    if connection.vendor == "postgresql":
        # A cast to varchar(n) would cut what is too long; without its length the column refuses it.
        return (
            lambda place, kind: f"(own.row ->> {place})::{str(kind).partition('(')[0]}",
            "jsonb_array_elements(%s::jsonb) AS own(row)",
        )
    return (lambda place, kind: f"json_extract(own.value, '$[{place}]')"), "json_each(%s) AS own"
