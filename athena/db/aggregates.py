"""Aggregates and functions for reports, on both engines: percentiles and durations."""

from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, FloatField, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from django.db.models.sql.compiler import _AsSqlType


class Percentile(Aggregate):
    """The value below which the share `fraction` of all values lies, interpolated between two values if need be.

    The default fraction of 0.5 is the median. NULLs do not count; the percentile of nothing is NULL. Continuous, like
    SQL's PERCENTILE_CONT: Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50
    (1996), 361–365, definition 7.
    """

    function = "ATHENA_PERCENTILE"  # on SQLite: `athena.db.sqlite3.base`
    output_field = FloatField()
    allow_distinct = False

    def __init__(self, expression: Combinable | str, fraction: float = 0.5, **extra: Any) -> None:
        super().__init__(expression, Value(fraction, output_field=FloatField()), **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> "_AsSqlType":
        copy = self.copy()
        values, fraction, *rest = copy.get_source_expressions()
        copy.set_source_expressions([fraction, values, *rest])
        copy.function, copy.arg_joiner = "PERCENTILE_CONT", ") WITHIN GROUP (ORDER BY "
        copy.template = "%(function)s(%(expressions)s)"
        return copy.as_sql(compiler, connection, **context)


class Hours(Func):
    """`Hours(earlier, later)`: the hours between two datetimes, with decimals; NULL if one of them is NULL."""

    arity = 2
    output_field = FloatField()

    def __init__(self, earlier: Combinable | str, later: Combinable | str) -> None:
        super().__init__(earlier, later)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> "_AsSqlType":
        template = "(EXTRACT(EPOCH FROM (%(expressions)s)) / 3600)::float8"
        return self._later_first().as_sql(compiler, connection, template=template, arg_joiner=" - ")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> "_AsSqlType":
        template = "(django_timestamp_diff(%(expressions)s) / 3600000000.0)"
        return self._later_first().as_sql(compiler, connection, template=template)

    def _later_first(self) -> Func:
        copy = self.copy()
        copy.set_source_expressions(self.get_source_expressions()[::-1])
        return copy
