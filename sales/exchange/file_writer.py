"""Writing rows as CSV or XLSX, so that a spreadsheet runs no cell as a formula and not all rows are in memory."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from athena.http.spreadsheet_cells import escape_formula

BYTE_ORDER_MARK = "\ufeff"  # tells a spreadsheet that the file is UTF-8
_ROWS_PER_PART = 500
_ESCAPED = re.compile(rf"{ILLEGAL_CHARACTERS_RE.pattern}|[\r\ufffe\uffff]|_(?=x[0-9A-Fa-f]{{4}}_)")


class _Echo:
    """A file whose `write` returns what it is given."""

    def write(self, text: str) -> str:
        return text


def iter_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield the CSV file (UTF-8 with a byte order mark) in parts of some rows."""
    writer = csv.writer(_Echo())
    lines = [BYTE_ORDER_MARK + writer.writerow([escape_formula(name) for name in header])]
    for row in rows:
        lines.append(writer.writerow([escape_formula("" if value is None else value) for value in row]))
        if len(lines) >= _ROWS_PER_PART:
            yield "".join(lines).encode()
            lines = []
    yield "".join(lines).encode()


def build_xlsx(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return the XLSX file. openpyxl keeps its rows in a temporary file until the end."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leads")
    sheet.append([_xlsx_cell(name) for name in header])
    for row in rows:
        sheet.append([_xlsx_cell(value) for value in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _xlsx_cell(value: object) -> object:
    return _ESCAPED.sub(_escape, escape_formula(value)) if isinstance(value, str) else value


def _escape(match: "re.Match[str]") -> str:
    """Spell a character as Excel does if XML can't hold it, or if it would be read as the start of such a spelling."""
    return f"_x{ord(match[0]):04X}_"
