"""What differs between the two database engines, each difference one function with two bodies."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, TextField
from django.db.models.functions import Now as DjangoNow
from django.db.models.sql.compiler import SQLCompiler


class Now(DjangoNow):
    """The statement's time. On SQLite with six digits, as Django writes datetimes, so that equality and order hold."""

    def as_sqlite(  # type: ignore[override]
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self.as_sql(  # type: ignore[return-value]
            compiler, connection, template="STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f000', 'NOW')", **extra_context
        )


class Fold(Func):
    """Text without case, for comparison: LOWER on PostgreSQL (a UTF-8 locale), Python's `lower` on SQLite."""

    function = "LOWER"
    arity = 1
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self.as_sql(compiler, connection, function="ATHENA_FOLD", **extra_context)  # type: ignore[return-value]
