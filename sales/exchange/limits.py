"""Limits on the size of a file and its parts. Every reader counts against them while it reads."""

from typing import NoReturn

from sales import errors

MAX_UNPACKED_BYTES = 200_000_000  # of all parts of an XLSX file
MAX_PARTS = 1_000
MAX_COLUMNS = 100
MAX_CELL_LENGTH = 32_767  # characters, as in spreadsheets
MAX_CHARACTERS = 50_000_000  # in all cells that are read
MAX_SHEET_CELLS = 5_000_000  # of an XLSX sheet, empty ones included
MAX_XML_EVENTS = 30_000_000  # elements and pieces of text of an XML part
MAX_XML_DEPTH = 64
MAX_LINE_NUMBER = 1_048_576  # of a spreadsheet


class Unreadable(errors.Invalid):
    """The file can't be read. `sheets` are the names of its sheets, so that the user can choose another one."""

    def __init__(self, reason: str, sheets: list[str] | None = None) -> None:
        super().__init__({"file": reason})
        self.reason = reason
        self.sheets = sheets or []


def refuse(reason: str) -> NoReturn:
    """Raise `Unreadable` with this reason."""
    raise Unreadable(reason)
