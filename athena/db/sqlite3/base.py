"""Django's SQLite engine with the functions that it lacks: folding all of Unicode, quantiles, saying a date."""

from datetime import date
from typing import Any

from django.db.backends.sqlite3 import base

from athena.db import name_key
from athena.formatting import format_date


def _fold(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _name_key(name: Any) -> Any:
    return name_key(name) if isinstance(name, str) else name


class Percentile:
    """PERCENTILE_CONT as an aggregate: of the values in order, the one at `fraction`, or what lies between two."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._fraction = 0.5

    def step(self, value: float | None, fraction: float) -> None:
        self._fraction = fraction
        if value is not None:
            self._values.append(value)

    def finalize(self) -> float | None:
        if not self._values:
            return None
        self._values.sort()
        place = self._fraction * (len(self._values) - 1)
        below = int(place)
        above = min(below + 1, len(self._values) - 1)
        return self._values[below] + (place - below) * (self._values[above] - self._values[below])


def _format_date(day: str | None) -> str | None:
    return None if day is None else format_date(date.fromisoformat(day))


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.create_function("ATHENA_FOLD", 1, _fold, deterministic=True)
        connection.create_function("ATHENA_NAME_KEY", 1, _name_key, deterministic=True)
        connection.create_aggregate("ATHENA_PERCENTILE", 2, Percentile)
        connection.create_function("ATHENA_FORMAT_DATE", 1, _format_date, deterministic=True)
        return connection
