"""Writing rows as an XLSX file in which no cell is run as a formula."""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from athena.http.spreadsheet_cells import escape_formula

_ESCAPED = re.compile(rf"{ILLEGAL_CHARACTERS_RE.pattern}|[\r\ufffe\uffff]|_(?=x[0-9A-Fa-f]{{4}}_)")


def build_xlsx(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return the XLSX file. openpyxl keeps its rows in a temporary file until the end."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leads")
    sheet.append([_to_cell(name) for name in header])
    for row in rows:
        sheet.append([_to_cell(value) for value in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _to_cell(value: object) -> object:
    return _ESCAPED.sub(_escape, escape_formula(value)) if isinstance(value, str) else value


def _escape(match: "re.Match[str]") -> str:
    """Spell a character as Excel does if XML can't hold it, or if it would be read as the start of such a spelling."""
    return f"_x{ord(match[0]):04X}_"
