"""What reports count with, on both engines: quantiles and lengths of time."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, FloatField, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

Sql = tuple[str, tuple[Any, ...]]


class Percentile(Aggregate):
    """The value below which the share `fraction` of all values lies, if need be between two of them. 0.5 is the median.

    Continuous, as SQL's PERCENTILE_CONT: Hyndman and Fan, "Sample quantiles in statistical packages", The American
    Statistician 50 (1996), 361–365, definition 7. NULLs do not count; of nothing it is NULL.
    """

    function = "ATHENA_PERCENTILE"  # on SQLite: `athena.db.sqlite3.base`
    output_field = FloatField()
    allow_distinct = False

    def __init__(self, expression: Any, fraction: float = 0.5, **extra: Any) -> None:
        super().__init__(expression, Value(fraction, output_field=FloatField()), **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        copy = self.copy()
        values, fraction, *rest = copy.get_source_expressions()
        copy.set_source_expressions([fraction, values, *rest])
        copy.function, copy.arg_joiner = "PERCENTILE_CONT", ") WITHIN GROUP (ORDER BY "
        copy.template = "%(function)s(%(expressions)s)"
        return copy.as_sql(compiler, connection, **context)  # type: ignore[return-value]


class Hours(Func):
    """How many hours lie between `Hours(earlier, later)`, with their fraction; NULL where one of them is."""

    arity = 2
    output_field = FloatField()

    def __init__(self, earlier: Combinable | str, later: Combinable | str) -> None:
        super().__init__(earlier, later)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self._later_first().as_sql(  # type: ignore[return-value]
            compiler, connection, template="(EXTRACT(EPOCH FROM (%(expressions)s)) / 3600)::float8", arg_joiner=" - "
        )

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Sql:
        return self._later_first().as_sql(  # type: ignore[return-value]
            compiler, connection, template="(django_timestamp_diff(%(expressions)s) / 3600000000.0)"
        )

    def _later_first(self) -> Func:
        copy = self.copy()
        copy.set_source_expressions(self.get_source_expressions()[::-1])
        return copy
