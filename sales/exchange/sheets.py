"""Writing rows to CSV and XLSX, so that no cell is run as a formula and no row stays in memory."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from athena.http.spreadsheets import safe_cell

BOM = "\ufeff"  # by which a spreadsheet knows UTF-8
_AT_ONCE = 500


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_parts(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The file's bytes, some rows at a time."""
    writer = csv.writer(_Echo())
    lines = [BOM + writer.writerow([safe_cell(name) for name in header])]
    for row in rows:
        lines.append(writer.writerow([safe_cell("" if value is None else value) for value in row]))
        if len(lines) >= _AT_ONCE:
            yield "".join(lines).encode()
            lines = []
    yield "".join(lines).encode()


def xlsx(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The file whole, packed; its rows pass through a temporary file."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("Leads")
    sheet.append([_xlsx_cell(name) for name in header])
    for row in rows:
        sheet.append([_xlsx_cell(value) for value in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _xlsx_cell(value: Any) -> Any:
    return safe_cell(ILLEGAL_CHARACTERS_RE.sub("", value)) if isinstance(value, str) else value
