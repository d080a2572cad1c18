"""Reading a CSV or XLSX file that somebody sends: its header and rows as text, and a clear word where that can't be.

A file is read row by row, so it takes the memory of its bytes and of one row (of an XLSX file also of its table of
texts). Nothing in it is believed: not its name, not the sizes and dimensions that it claims.
"""

import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, TextIOWrapper
from typing import Any, NoReturn

import openpyxl

from sales import errors

MAX_FILE = 20_000_000  # bytes, as the gateway has it
MAX_UNPACKED = 200_000_000  # bytes of an XLSX file's parts
MAX_PARTS = 1_000
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_CELL = 32_767  # characters, as spreadsheets have it
_LAST_LINE = 1_048_576  # of a spreadsheet
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Sheet:
    """The header, and each row that is not empty with its line. Reading rows raises `Invalid`, too."""

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]


def read(content: bytes) -> Sheet:
    """Raises `Invalid`."""
    if len(content) > MAX_FILE:
        _refuse(f"The file is larger than {MAX_FILE // 1_000_000} MB. Split it.")
    lines = _xlsx(content) if content.startswith(b"PK") else _csv(content)
    header: list[str] = []
    for _, cells in lines:
        header = _trimmed(cells)
        if header:
            break
    if not header:
        _refuse("The file is empty.")
    if len(header) > MAX_COLUMNS:
        _refuse(f"There are more than {MAX_COLUMNS} columns.")
    return Sheet(header, _bounded(lines))


def _bounded(lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    many = 0
    for line, row in lines:
        cells = _trimmed(row)
        if not cells:
            continue
        many += 1
        if many > MAX_ROWS:
            _refuse(f"There are more than {MAX_ROWS:,} rows. Split the file.")
        if len(cells) > MAX_COLUMNS:
            _refuse(f"Line {line}: there are more than {MAX_COLUMNS} columns.")
        for cell in cells:
            if len(cell) > MAX_CELL:
                _refuse(f"Line {line}: a cell has more than {MAX_CELL:,} characters.")
        yield line, cells


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at its end."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    if content.startswith(_UTF_16):
        _refuse("The file is in UTF-16. Save it as “CSV UTF-8”.")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        _refuse("This is an old Excel file (.xls), or one with a password. Save it as .xlsx or as “CSV UTF-8”.")
    if b"\0" in content:
        _refuse("The file holds NUL characters, so it is no text. Save it as “CSV UTF-8” or .xlsx.")
    text = TextIOWrapper(BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=_delimiter(content), strict=True)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            place = _first_wrong_line(content)
            _refuse(f"Line {place} holds characters that are not UTF-8. Save the file as “CSV UTF-8”.")
        except csv.Error as error:
            _refuse(f"Line {line}: {_in_plain_words(error)}")
        yield line, row
        line = reader.line_num + 1


def _delimiter(content: bytes) -> str:
    first = content.partition(b"\n")[0]
    return max(",;\t", key=lambda each: first.count(each.encode()))


def _first_wrong_line(content: bytes) -> int:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1


def _in_plain_words(error: csv.Error) -> str:
    why = str(error)
    if "field limit" in why:
        return f"a cell has more than {MAX_CELL:,} characters, or a quotation mark is not closed."
    if "unexpected end" in why or "expected after" in why:
        return "a quotation mark is not closed, or stands inside a cell. Double it there."
    return f"it can't be read ({why})."


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Its first sheet. What a damaged file makes the library raise is no more than that: it can't be read."""
    try:
        _weigh(content)
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, keep_links=False)
        sheet: Any = book.worksheets[0]
        sheet.reset_dimensions()
        for line, row in enumerate(sheet.iter_rows(), start=1):
            if line > _LAST_LINE:
                _refuse("The sheet has more lines than a spreadsheet can have.")
            yield line, [_as_text(cell.value) for cell in row[: MAX_COLUMNS + 1]]
    except errors.Invalid:
        raise
    except Exception as error:
        raise errors.Invalid(
            {"file": "The Excel file is damaged and can't be read. Save it again as .xlsx."}
        ) from error


def _weigh(content: bytes) -> None:
    """Look at the sizes of its parts before any is unpacked. (Reading never goes beyond the size a part claims.)"""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        _refuse("Unpacked, the Excel file is too large. Save the sheet as “CSV UTF-8” and split it.")


def _as_text(value: Any) -> str:
    """A cell's value as somebody would type it. A formula stays one, to be refused in its row."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float):
        return str(value).replace("_x000D_", "").replace("\r\n", "\n")
    return f"={getattr(value, 'text', value)}"


def _refuse(why: str) -> NoReturn:
    raise errors.Invalid({"file": why})
