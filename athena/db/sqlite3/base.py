"""Django's SQLite engine with text folding that knows all of Unicode."""

from typing import Any

from django.db.backends.sqlite3 import base


def _fold(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.create_function("ATHENA_FOLD", 1, _fold, deterministic=True)
        return connection
