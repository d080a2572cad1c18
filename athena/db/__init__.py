"""SQL functions that the two database engines spell differently: one class each, with a method for each engine."""

import unicodedata
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, IntegerField, TextField
from django.db.models.functions import Now as DjangoNow
from django.db.models.sql.compiler import SQLCompiler


class Now(DjangoNow):
    """The current time. On SQLite it has six fractional digits, as Django's datetimes, so that they compare."""

    def as_sqlite(  # type: ignore[override]
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self.as_sql(  # type: ignore[return-value]
            compiler, connection, template="STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f000', 'NOW')", **extra_context
        )


class Fold(Func):
    """Lower-cased text for comparisons: LOWER on PostgreSQL (with a UTF-8 locale), Python's `lower` on SQLite."""

    function = "LOWER"
    arity = 1
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self.as_sql(compiler, connection, function="ATHENA_FOLD", **extra_context)  # type: ignore[return-value]


def name_key(name: str) -> str:
    """A key that is equal for names that differ only in case, spaces or the Unicode form of accents.

    The two small sigmas of Greek and the Turkish İ are mapped explicitly, since programs lower-case them differently.
    """
    spaced = " ".join(unicodedata.normalize("NFC", name).split())
    return spaced.lower().replace("ς", "σ").replace("i\u0307", "i")


class NameKey(Func):
    """`name_key` in SQL."""

    arity = 1
    output_field = TextField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        spaces = r"[\s\u001c-\u001f\u0085\u00a0\u2000-\u200a\u202f\u3000]+"
        spaced = f"BTRIM(REGEXP_REPLACE(NORMALIZE(%(expressions)s, NFC), '{spaces}', ' ', 'g'))"
        template = rf"REPLACE(REPLACE(LOWER({spaced}), 'ς', 'σ'), U&'i\0307', 'i')"
        return self.as_sql(compiler, connection, template=template)  # type: ignore[return-value]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self.as_sql(compiler, connection, function="ATHENA_NAME_KEY")  # type: ignore[return-value]


class FormatDate(Func):
    """`athena.formatting.format_date` in SQL: `Mon 5 Jan 2026`."""

    arity = 1
    output_field = TextField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        template = "TO_CHAR(%(expressions)s, 'FMDy FMDD FMMon YYYY')"  # in English, whatever the server's language
        return self.as_sql(compiler, connection, template=template)  # type: ignore[return-value]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self.as_sql(compiler, connection, function="ATHENA_FORMAT_DATE")  # type: ignore[return-value]


class WholeDays(Func):
    """`WholeDays(earlier, later)`: the number of whole days (24 hours) between them; negative in the other order."""

    arity = 2
    output_field = IntegerField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        template = "FLOOR(EXTRACT(EPOCH FROM (%(expressions)s)) / 86400)::integer"
        return self._later_first().as_sql(compiler, connection, template=template, arg_joiner=" - ")  # type: ignore[return-value]

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        template = "CAST(FLOOR(django_timestamp_diff(%(expressions)s) / 86400000000.0) AS INTEGER)"
        return self._later_first().as_sql(compiler, connection, template=template)  # type: ignore[return-value]

    def _later_first(self) -> Func:
        copy = self.copy()
        copy.set_source_expressions(self.get_source_expressions()[::-1])
        return copy
