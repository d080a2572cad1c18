"""CSV responses that spreadsheets open directly and in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from athena.http.spreadsheet_cells import escape_formula


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """The rows as the file `name`.csv in UTF-8, with the byte order mark that Excel needs.

    A column `a.b` holds the value of the key `b` in the nested row `a`.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([escape_formula(_get_value(row, column)) for column in columns])
    response = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def list_columns(row: Mapping[str, Any]) -> list[str]:
    """The columns of a row: its keys, and `a.b` for the keys of a nested row."""
    columns: list[str] = []
    for name, value in row.items():
        columns += [f"{name}.{inner}" for inner in list_columns(value)] if isinstance(value, Mapping) else [name]
    return columns


def _get_value(row: Mapping[str, Any], column: str) -> Any:
    name, _, rest = column.partition(".")
    return _get_value(row[name], rest) if rest else row[name]
