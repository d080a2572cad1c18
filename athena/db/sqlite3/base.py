"""Django's SQLite engine with the functions that it lacks: folding all of Unicode, and saying a date."""

from datetime import date
from typing import Any

from django.db.backends.sqlite3 import base
from django.utils import dateformat


def _fold(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _day_in_words(day: str | None) -> str | None:
    return None if day is None else dateformat.format(date.fromisoformat(day), "l, j F Y")


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.create_function("ATHENA_FOLD", 1, _fold, deterministic=True)
        connection.create_function("ATHENA_DAY_IN_WORDS", 1, _day_in_words, deterministic=True)
        return connection
