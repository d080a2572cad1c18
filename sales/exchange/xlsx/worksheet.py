"""Reading the rows of an XLSX sheet as text, row by row.

The sheet is gone through twice. The first time counts, and collects what stands at its end but is needed at its
beginning: merged cells. The second time reads the cells.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import from_excel, from_ISO8601

from sales.exchange.limits import LAST_LINE, MAX_CELL, MAX_COLUMNS, MAX_SHEET_CELLS, refuse
from sales.exchange.styles import GENERAL
from sales.exchange.xlsx.workbook import Book, SheetName, read_texts
from sales.exchange.xlsx.xml_stream import DAMAGED, TOO_LARGE, Stream, read_all

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?[0-9]{0,7}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TOO_MANY_LINES = "The sheet has more lines than a spreadsheet can have."
_MAX_MERGED = 100_000


def read(book: Book, sheet: SheetName) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """The sheet's rows, and what a person should know of it."""
    worksheet = Worksheet(book, sheet.part)
    worksheet.survey()
    remarks = worksheet.remarks()
    if len(book.sheets) > 1:
        others = ", ".join(
            f"“{each.name}”{' (hidden)' if each.is_hidden else ''}" for each in book.sheets if each is not sheet
        )
        remarks.insert(0, f"The sheet “{sheet.name}” was read. Left out: {others}.")
    read_texts(book)
    return worksheet.lines(), remarks


class Worksheet:
    def __init__(self, book: Book, part: str) -> None:
        self._book, self._part = book, part
        self._merged: dict[int, dict[int, int]] = {}  # by first line and column: the last line
        self._hidden_rows = 0
        self._hidden_columns: list[int] = []

    def survey(self) -> None:
        """Count cells and lines, and collect merged cells and what is hidden. Raises `Unreadable`."""
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
                self._note_merged(attributes.get("ref", ""))
            if cells > MAX_SHEET_CELLS or merged > _MAX_MERGED or len(self._hidden_columns) > MAX_COLUMNS:
                refuse(TOO_LARGE)
            if rows > LAST_LINE:
                refuse(_TOO_MANY_LINES)

        read_all(self._book.open(self._part), start)

    def _note_merged(self, reference: str) -> None:
        try:
            column, first, _, last = range_boundaries(reference)
        except (ValueError, TypeError):
            refuse(DAMAGED)
        if column and first and last and last > first and column <= MAX_COLUMNS:
            self._merged.setdefault(first, {})[column] = last

    def remarks(self) -> list[str]:
        found = []
        if self._merged:
            found.append("A merged cell's value stands for each of its rows.")
        if self._hidden_rows:
            found.append(f"Hidden rows were read, too: {self._hidden_rows:,}.")
        if self._hidden_columns:
            found.append(f"Hidden columns were read, too: {', '.join(map(letters, self._hidden_columns))}.")
        return found

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Each line that has a cell with something in it. Values of merged cells are filled in below their first."""
        filled: dict[int, tuple[int, str]] = {}  # by column: the last line, the value
        for line, cells in _Rows(self._book, self._part).read():
            starts = self._merged.get(line, {})
            for column, (last, value) in list(filled.items()):
                if last < line:
                    del filled[column]
                elif not cells.get(column):
                    cells[column] = value
            for column, last in starts.items():
                if cells.get(column):
                    filled[column] = (last, cells[column])
            yield line, [cells.get(column, "") for column in range(1, max(cells) + 1)]


class _Rows:
    """The handlers of one pass through a sheet's cells."""

    def __init__(self, book: Book, part: str) -> None:
        self._book, self._part = book, part
        self._stream = Stream(self._start, self._end, self._text)
        self._done: list[tuple[int, dict[int, str]]] = []
        self._cells: dict[int, str] = {}
        self._line = self._column = self._phonetic = self._length = 0
        self._kind = self._style = ""
        self._is_formula = False
        self._pieces: list[str] = []

    def read(self) -> Iterator[tuple[int, dict[int, str]]]:
        for _ in self._stream.feed(self._book.open(self._part)):
            yield from self._done
            self._done.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            line = int(attributes.get("r") or self._line + 1)
            if line > LAST_LINE:
                refuse(_TOO_MANY_LINES)
            if line <= self._line:
                refuse(DAMAGED)
            self._line, self._column, self._cells = line, 0, {}
        elif name == "c":
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _number(reference[1]) if reference else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._is_formula, self._length = False, 0
            self._pieces.clear()
        elif name == "f":
            self._is_formula = True
            self._stream.listen(True)
        elif name == "rPh":
            self._phonetic += 1
        elif name in ("v", "t") and not self._phonetic and not self._is_formula:
            self._stream.listen(True)

    def _text(self, piece: str) -> None:
        if self._length <= MAX_CELL:
            self._pieces.append(piece)
            self._length += len(piece)

    def _end(self, name: str) -> None:
        if name in ("v", "t", "f"):
            self._stream.listen(False)
        elif name == "rPh":
            self._phonetic -= 1
        elif name == "c":
            text = "".join(self._pieces)
            value = f"={text}" if self._is_formula else self._value(text)
            if value:
                # One column beyond the last is enough to say that there are too many.
                self._cells[min(self._column, MAX_COLUMNS + 1)] = value
        elif name == "row" and self._cells:
            self._done.append((self._line, self._cells))

    def _value(self, text: str) -> str:
        if not text:
            return ""
        if self._kind == "s":
            return _plain(self._book.texts[int(text)])
        if self._kind in ("str", "inlineStr"):
            return _plain(text)
        if self._kind == "b":
            return "yes" if text in ("1", "true") else "no"
        if self._kind == "e":
            return text
        if self._kind == "d":
            return _shown(from_ISO8601(text))
        number = float(text)
        style = self._book.styles[int(self._style)] if self._style else GENERAL
        if not style.is_time:
            return style.show(_in_digits(number))
        try:
            value = from_excel(number, self._book.epoch, timedelta=style.kind == "duration")
        except (OverflowError, ValueError):
            return "########"  # what the spreadsheet shows
        is_day = style.kind == "date" and isinstance(value, datetime) and value.time() == time()
        return _shown(value.date() if is_day else value)


def letters(column: int) -> str:
    """The column's letters, as spreadsheets show them: A for 1."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def _number(column: str) -> int:
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - 64
    return number


def _plain(text: str) -> str:
    """Text without Excel's spelling of control characters, in which a line ends with a line feed."""
    if "_x" in text:
        text = _ESCAPED.sub(_unescaped, text)
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _unescaped(found: "re.Match[str]") -> str:
    code = int(found[1], 16)
    return chr(code) if code < 32 or chr(code) in "_\ufffe\uffff" else found[0]


def _shown(value: object) -> str:
    """A day, a time or a duration as somebody would type it."""
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


def _in_digits(number: float) -> str:
    """A number with the 15 digits that a spreadsheet has; above them it has lost some, and says so by its exponent."""
    text = format(number, ".15g")
    if "e-" in text:
        text = format(Decimal(text), "f")
    whole, _, decimals = text.partition(".")
    # So that three decimals are not taken for thousands, as they may be in text.
    return f"{text}0" if len(decimals) == 3 and "e" not in text and len(whole) <= 3 else text
