"""Tables as CSV: what a spreadsheet opens as it is, and in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from athena.http.spreadsheet_cells import escape_formula


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """The rows as a file `name`.csv in UTF-8 (with the mark that Excel looks for); `a.b` is the key `b` in `a`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([escape_formula(_value(row, column)) for column in columns])
    response = HttpResponse(text.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def list_columns(row: Mapping[str, Any]) -> list[str]:
    """The columns that a row makes: its keys, and `a.b` for those of a row within it."""
    found: list[str] = []
    for name, value in row.items():
        found += [f"{name}.{each}" for each in list_columns(value)] if isinstance(value, Mapping) else [name]
    return found


def _value(row: Mapping[str, Any], column: str) -> Any:
    name, _, rest = column.partition(".")
    return _value(row[name], rest) if rest else row[name]
