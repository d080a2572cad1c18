"""CSV files that spreadsheets open directly and in which no cell is a formula, and responses that download them."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from athena.http.spreadsheet_cells import escape_formula

BYTE_ORDER_MARK = "\ufeff"  # tells Excel that the file is UTF-8
_ROWS_PER_PART = 500


class _Echo:
    """A file whose `write` returns what it is given."""

    def write(self, text: str) -> str:
        return text


def iter_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield the CSV file (UTF-8 with a byte order mark) in parts of some rows, so that not all rows are in memory."""
    writer = csv.writer(_Echo())
    lines = [BYTE_ORDER_MARK + writer.writerow([escape_formula(name) for name in header])]
    for row in rows:
        lines.append(writer.writerow([escape_formula("" if value is None else value) for value in row]))
        if len(lines) >= _ROWS_PER_PART:
            yield "".join(lines).encode()
            lines = []
    yield "".join(lines).encode()


def stream_csv(name: str, parts: Iterable[bytes]) -> StreamingHttpResponse:
    """Download the parts of a CSV file (see `iter_csv`), each made when it is sent, as the file `name`.csv."""
    return StreamingHttpResponse(parts, content_type=_CSV_TYPE, headers=_get_headers(name))


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> HttpResponse:
    """Download the rows as the file `name`.csv. A column `a.b` holds the value of the key `b` in the nested row `a`."""
    cells = ([_get_value(row, column) for column in columns] for row in rows)
    return HttpResponse(b"".join(iter_csv(columns, cells)), content_type=_CSV_TYPE, headers=_get_headers(name))


_CSV_TYPE = "text/csv; charset=utf-8"


def _get_headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.csv"'}


def list_columns(row: Mapping[str, Any]) -> list[str]:
    """The columns of a row: its keys, and `a.b` for the keys of a nested row."""
    columns: list[str] = []
    for name, value in row.items():
        columns += [f"{name}.{inner}" for inner in list_columns(value)] if isinstance(value, Mapping) else [name]
    return columns


def _get_value(row: Mapping[str, Any], column: str) -> Any:
    name, _, rest = column.partition(".")
    return _get_value(row[name], rest) if rest else row[name]
