"""Writes many rows with a fixed number of statements and parameters."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    F,
    ForeignKey,
    Func,
    IntegerField,
    JSONField,
    Model,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, tuple[Any, ...]]

# Values that need no conversion for the database: asking the field for each of many rows costs more than writing them.
_UNCONVERTED: dict[type, tuple[type, ...]] = {
    CharField: (str, NoneType),
    TextField: (str, NoneType),
    IntegerField: (int, NoneType),
    BigIntegerField: (int, NoneType),
    BooleanField: (bool, NoneType),
    DateTimeField: (NoneType,),
    DecimalField: (NoneType,),
    ForeignKey: (int, NoneType),
}


class IdIn(Func):
    """Whether a key is one of `ids`, which are sent as a single parameter."""

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


def insert_select(model: type[Model], queryset: "QuerySet[Any, Any]", **columns: Combinable) -> int:
    """INSERT … SELECT: insert a row of `model` for each row of `queryset`. Returns the number of rows.

    `columns` maps each column to its expression.
    """
    with connection.cursor() as cursor:
        cursor.execute(*build_insert_select(model, queryset, **columns))
        return int(cursor.rowcount)


def build_insert_select(model: type[Model], queryset: "QuerySet[Any, Any]", **columns: Combinable) -> Sql:
    """The SQL and the parameters of `insert_select`."""
    rows = queryset.order_by().annotate(**{f"new_{name}": expression for name, expression in columns.items()})
    sql, parameters = rows.values_list(*(f"new_{name}" for name in columns)).query.sql_with_params()
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in _fields(model, columns))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) {sql}", tuple(parameters)


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """Ids for `count` new rows, in ascending order. Nobody else gets them while the transaction lasts."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
            cursor.execute(sequence, [table, count])
            return sorted(key for (key,) in cursor.fetchall())
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone() or (0,)
        return list(range(last + 1, last + 1 + count))


def insert_ignoring_conflicts(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """INSERT … ON CONFLICT DO NOTHING: insert the rows that violate no unique constraint. Returns their number."""
    insert, parameters = build_insert(model, columns, rows)
    with connection.cursor() as cursor:
        cursor.execute(f"{insert} ON CONFLICT DO NOTHING", parameters)
        return int(cursor.rowcount)


def build_insert(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Sql:
    """The SQL and the parameters of an INSERT of these rows."""
    fields = _fields(model, columns)
    element, source = _json_rows()
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(element(place, field.db_type(connection)) for place, field in enumerate(fields))
    table = quote(model._meta.db_table)
    # Without a WHERE, SQLite would parse the ON of ON CONFLICT as that of a join.
    sql = f"INSERT INTO {table} ({names}) SELECT {values} FROM {source} WHERE TRUE"  # noqa: S608
    return sql, (_as_json([_prepare(fields, row) for row in rows]),)


def update_each(
    model: type[Model],
    columns: Sequence[str],
    values: Mapping[int, Sequence[Any]],
    *,
    shared: Mapping[str, Any] | None = None,
    incremented: Sequence[str] = (),
) -> int:
    """Give each row its own values in one UPDATE … FROM. `values` maps a row's id to its values of `columns`.

    `shared` holds columns that get one value in all these rows; the columns `incremented` go up by one. Returns the
    number of changed rows.
    """
    fields, shared = _fields(model, columns), shared or {}
    distinct = {id(row): row for row in values.values()}  # many rows may share the same values
    prepared = {key: _prepare(fields, row) for key, row in distinct.items()}
    rows = [[key, *prepared[id(row)]] for key, row in values.items()]
    element, source = _json_rows()
    quote = connection.ops.quote_name
    sets = ", ".join(
        f"{quote(field.column)} = {element(place, field.db_type(connection))}"
        for place, field in enumerate(fields, start=1)
    )
    sets += "".join(f", {quote(field.column)} = %s" for field in _fields(model, shared))
    sets += "".join(f", {column} = {column} + 1" for column in (quote(f.column) for f in _fields(model, incremented)))
    table = quote(model._meta.db_table)
    sql = f"UPDATE {table} SET {sets} FROM {source} WHERE {table}.{quote('id')} = {element(0, 'bigint')}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_prepare(_fields(model, shared), list(shared.values())), _as_json(rows)])
        return int(cursor.rowcount)


def increment(model: type[Model], keys: Mapping[str, Any], amounts: Mapping[str, float]) -> tuple[Any, ...]:
    """Add `amounts` to the row with these `keys`, or insert it. Returns the new sums."""
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


def check_foreign_keys() -> None:
    """Check the foreign keys that this transaction has written now instead of at the commit. Raises `IntegrityError`.

    So the locks that the transaction takes afterwards are held for a shorter time. SQLite has checked them already.
    """
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _fields(model: type[Model], names: Iterable[str]) -> list[Any]:
    return [model._meta.get_field(name) for name in names]


def _prepare(fields: Sequence[Any], row: Sequence[Any]) -> list[Any]:
    """The values of a row as the database stores them; JSON as text."""
    return [
        value
        if value.__class__ in _UNCONVERTED.get(field.__class__, ())
        else json.dumps(value, cls=field.encoder)
        if isinstance(field, JSONField)
        else field.get_db_prep_save(value, connection)
        for field, value in zip(fields, row, strict=True)
    ]


def _as_json(rows: list[list[Any]]) -> str:
    return json.dumps(rows, default=str)


def _json_rows() -> tuple[Callable[[int, str | None], str], str]:
    """The SQL for a parameter of JSON rows: a function that returns an element of a row as a type, and the source."""
    if connection.vendor == "postgresql":
        # Without its length, since a cast to varchar(n) would cut longer texts; so the column refuses them.
        return (
            lambda place, kind: f"(own.row ->> {place})::{str(kind).partition('(')[0]}",
            "jsonb_array_elements(%s::jsonb) AS own(row)",
        )
    return (lambda place, kind: f"json_extract(own.value, '$[{place}]')"), "json_each(%s) AS own"
