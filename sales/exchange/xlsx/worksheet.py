"""Reading the rows of an XLSX sheet as text.

The sheet is read twice. The first pass counts, and collects the merged cells, which are listed at the end of the sheet
but needed at its beginning. The second pass reads the cells.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import from_excel, from_ISO8601

from sales.exchange.limits import MAX_CELL_LENGTH, MAX_COLUMNS, MAX_LINE_NUMBER, MAX_SHEET_CELLS, refuse
from sales.exchange.xlsx.number_formats import GENERAL
from sales.exchange.xlsx.workbook import Book, SheetEntry, read_shared_texts
from sales.exchange.xlsx.xml_stream import DAMAGED, TOO_LARGE, Stream, read_all

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?[0-9]{0,7}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TOO_MANY_ROWS = "The sheet has more rows than a spreadsheet can have. Save it again as .xlsx."
_MAX_MERGED_CELLS = 100_000


def read_worksheet(book: Book, sheet: SheetEntry) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Return the sheet's rows, each with its number, and remarks for the user. Raises `Unreadable`, also while rows
    are taken."""
    worksheet = Worksheet(book, sheet.part)
    worksheet.survey()
    remarks = worksheet.get_remarks()
    if len(book.sheets) > 1:
        others = ", ".join(
            f"“{other.name}”{' (hidden)' if other.is_hidden else ''}" for other in book.sheets if other is not sheet
        )
        remarks.insert(0, f"The sheet “{sheet.name}” was read. Left out: {others}.")
    read_shared_texts(book)
    return worksheet.iter_rows(), remarks


class Worksheet:
    """One sheet of an open XLSX file. Call `survey` before the other methods."""

    def __init__(self, book: Book, part: str) -> None:
        self._book, self._part = book, part
        self._merged: dict[int, dict[int, int]] = {}  # first row → column → last row
        self._hidden_rows = 0
        self._hidden_columns: list[int] = []

    def survey(self) -> None:
        """Make the first pass: count cells and rows, collect merged and hidden ones. Raises `Unreadable`."""
        cells = rows = merged = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal cells, rows, merged
            if name == "c":
                cells += 1
            elif name == "row":
                rows += 1
                self._hidden_rows += attributes.get("hidden") in ("1", "true")
            elif name == "col" and attributes.get("hidden") in ("1", "true"):
                first, last = int(attributes["min"]), min(int(attributes["max"]), MAX_COLUMNS)
                self._hidden_columns += range(first, last + 1)
            elif name == "mergeCell":
                merged += 1
                self._add_merged(attributes.get("ref", ""))
            if cells > MAX_SHEET_CELLS or merged > _MAX_MERGED_CELLS or len(self._hidden_columns) > MAX_COLUMNS:
                refuse(TOO_LARGE)
            if rows > MAX_LINE_NUMBER:
                refuse(_TOO_MANY_ROWS)

        read_all(self._book.open(self._part), start)

    def _add_merged(self, reference: str) -> None:
        try:
            column, first, _, last = range_boundaries(reference)
        except (ValueError, TypeError):
            refuse(DAMAGED)
        if column and first and last and last > first and column <= MAX_COLUMNS:
            self._merged.setdefault(first, {})[column] = last

    def get_remarks(self) -> list[str]:
        """Return what the user should know: that cells are merged, and that hidden rows and columns were read."""
        remarks = []
        if self._merged:
            remarks.append("A merged cell's value stands for each of its rows.")
        if self._hidden_rows:
            remarks.append(f"Hidden rows were read, too: {self._hidden_rows:,}.")
        if self._hidden_columns:
            remarks.append(f"Hidden columns were read, too: {', '.join(map(to_letters, self._hidden_columns))}.")
        return remarks

    def iter_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row that has text in a cell. The value of a merged cell is repeated in each of its rows."""
        open_merges: dict[int, tuple[int, str]] = {}  # column → last row and value
        for row, cells in _RowParser(self._book, self._part).iter_rows():
            for column, (last, value) in list(open_merges.items()):
                if last < row:
                    del open_merges[column]
                elif not cells.get(column):
                    cells[column] = value
            for column, last in self._merged.get(row, {}).items():
                if cells.get(column):
                    open_merges[column] = (last, cells[column])
            yield row, [cells.get(column, "") for column in range(1, max(cells) + 1)]


class _RowParser:
    """The second pass: a parser of a sheet's rows, and its state."""

    def __init__(self, book: Book, part: str) -> None:
        self._book, self._part = book, part
        self._stream = Stream(self._start, self._end, self._text)
        self._parsed: list[tuple[int, dict[int, str]]] = []
        self._cells: dict[int, str] = {}
        self._row = self._column = self._phonetic_depth = self._length = 0
        self._kind = self._style = ""
        self._is_formula = False
        self._pieces: list[str] = []

    def iter_rows(self) -> Iterator[tuple[int, dict[int, str]]]:
        for _ in self._stream.feed(self._book.open(self._part)):
            yield from self._parsed
            self._parsed.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            row = int(attributes.get("r") or self._row + 1)
            if row > MAX_LINE_NUMBER:
                refuse(_TOO_MANY_ROWS)
            if row <= self._row:
                refuse(DAMAGED)
            self._row, self._column, self._cells = row, 0, {}
        elif name == "c":
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _to_number(reference[1]) if reference else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._is_formula, self._length = False, 0
            self._pieces.clear()
        elif name == "f":
            self._is_formula = True
            self._stream.listen(True)
        elif name == "rPh":
            self._phonetic_depth += 1
        elif name in ("v", "t") and not self._phonetic_depth and not self._is_formula:
            self._stream.listen(True)

    def _text(self, piece: str) -> None:
        if self._length <= MAX_CELL_LENGTH:
            self._pieces.append(piece)
            self._length += len(piece)

    def _end(self, name: str) -> None:
        if name in ("v", "t", "f"):
            self._stream.listen(False)
        elif name == "rPh":
            self._phonetic_depth -= 1
        elif name == "c":
            text = "".join(self._pieces)
            value = f"={text}" if self._is_formula else self._read_value(text)
            if value:
                # One column beyond the limit is enough to report that there are too many.
                self._cells[min(self._column, MAX_COLUMNS + 1)] = value
        elif name == "row" and self._cells:
            self._parsed.append((self._row, self._cells))

    def _read_value(self, text: str) -> str:
        """Return the cell as somebody would type it."""
        if not text:
            return ""
        if self._kind == "s":
            return _unescape(self._book.shared_texts[int(text)])
        if self._kind in ("str", "inlineStr"):
            return _unescape(text)
        if self._kind == "b":
            return "yes" if text in ("1", "true") else "no"
        if self._kind == "e":
            return text
        if self._kind == "d":
            return _format_time(from_ISO8601(text))
        number = float(text)
        number_format = self._book.number_formats[int(self._style)] if self._style else GENERAL
        if not number_format.is_time:
            return number_format.show(_format_number(number))
        try:
            value = from_excel(number, self._book.epoch, timedelta=number_format.kind == "duration")
        except (OverflowError, ValueError):
            return "########"  # as the spreadsheet shows it
        is_date = number_format.kind == "date" and isinstance(value, datetime) and value.time() == time()
        return _format_time(value.date() if is_date else value)


def to_letters(column: int) -> str:
    """Return a column's letters as spreadsheets show them: A for 1, AA for 27."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _to_number(column: str) -> int:
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - 64
    return number


def _unescape(text: str) -> str:
    """Replace Excel's spelling of control characters (`_x000A_`), and end each line with a line feed."""
    if "_x" in text:
        text = _ESCAPED.sub(_unescape_character, text)
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _unescape_character(match: "re.Match[str]") -> str:
    code = int(match[1], 16)
    return chr(code) if code < 32 or chr(code) in "_\ufffe\uffff" else match[0]


def _format_time(value: object) -> str:
    """Write a date, a time or a duration as somebody would type it."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value.hour}:{value.minute:02}" + (f":{value.second:02}" if value.second else "")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return str(value)


def _format_number(number: float) -> str:
    """Write a number with the 15 digits that a spreadsheet keeps; one that has lost digits keeps its exponent."""
    text = format(number, ".15g")
    if "e-" in text:
        text = format(Decimal(text), "f")
    whole, _, decimals = text.partition(".")
    # A fourth decimal, so that three are not taken for thousands, as they may be in text.
    return f"{text}0" if len(decimals) == 3 and "e" not in text and len(whole) <= 3 else text
