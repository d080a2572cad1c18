"""Writing rows to CSV and XLSX, so that no cell is run as a formula and no row stays in memory."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from athena.http.spreadsheet_cells import escape_formula

BOM = "\ufeff"  # by which a spreadsheet knows UTF-8
_AT_ONCE = 500
_ESCAPED = re.compile(rf"{ILLEGAL_CHARACTERS_RE.pattern}|[\r\ufffe\uffff]|_(?=x[0-9A-Fa-f]{{4}}_)")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_parts(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The file's bytes, some rows at a time."""
    writer = csv.writer(_Echo())
    lines = [BOM + writer.writerow([escape_formula(name) for name in header])]
    for row in rows:
        lines.append(writer.writerow([escape_formula("" if value is None else value) for value in row]))
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
    return _ESCAPED.sub(_escaped, escape_formula(value)) if isinstance(value, str) else value


def _escaped(found: "re.Match[str]") -> str:
    """The character as Excel spells it where XML can't hold it, or where it would be read as such a spelling."""
    return f"_x{ord(found[0]):04X}_"
