"""How large a file may be, and its parts. Whatever reads a file counts against these while it reads."""

from typing import NoReturn

from sales import errors

MAX_UNPACKED = 200_000_000  # bytes of an XLSX file's parts
MAX_PARTS = 1_000
MAX_COLUMNS = 100
MAX_CELL = 32_767  # characters, as spreadsheets have it
MAX_CHARACTERS = 50_000_000  # of all cells that are read
MAX_SHEET_CELLS = 5_000_000  # of an XLSX sheet, empty ones included
MAX_EVENTS = 30_000_000  # elements and pieces of text of an XML part
MAX_DEPTH = 64  # of XML elements within each other
LAST_LINE = 1_048_576  # of a spreadsheet


class Unreadable(errors.Invalid):
    """The file can't be read; `sheets` are those that it has, so that another one can be chosen."""

    def __init__(self, reason: str, sheets: list[str] | None = None) -> None:
        super().__init__({"file": reason})
        self.reason = reason
        self.sheets = sheets or []


def refuse(reason: str) -> NoReturn:
    raise Unreadable(reason)
