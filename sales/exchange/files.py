"""Reading a CSV or XLSX file that somebody sends: its header and rows as text, and a clear word where that can't be.

Reading takes memory and time in proportion to what `limits` allows, and no more. It knows nothing of Django: large
files are read by a process of their own (`apart`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from athena.http.spreadsheet_cells import unescape_formula
from sales.exchange import csv_text
from sales.exchange.limits import MAX_CELL, MAX_CHARACTERS, MAX_COLUMNS, Unreadable, refuse
from sales.exchange.xlsx import workbook, worksheet
from sales.exchange.xlsx.xml_stream import DAMAGED

MAX_FILE = 20_000_000  # bytes, as the gateway has it
MAX_ROWS = 200_000
WHAT_IS_WRONG = "What is wrong"  # the column that "Download the wrong rows" adds
TOO_MANY_CELLS = "It has more cells than the header."
_SHOWN = 5  # footers that are named

_NUMBERS = re.compile(r"[-+$€£\s\d.,%()]*")
_TOTAL = re.compile(
    r"(grand[ -]?|sub[ -]?)?totals?|sum|average|count|"
    r"(\d[\d,. ]* )?(records?|rows?|leads)( (in all|total|affected|exported|found|returned|selected))?|"
    r"(grand[ -]?|sub[ -]?)?totals?[ :]*\(?[\d,. ]*(records?|rows|leads|items)?\)?|"
    r"((total |number of )(records?|rows|leads|count)|(record|row|lead) count)[ :]*[\d,. ]*|"
    r"(count|records?|rows|leads) ?: ?[\d,. ]+",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"(©|\(c\)|copyright\b).*|.*all rights reserved\.?|.*do not distribute\.?|"
    r"confidential( (information|data|report|document)\b.*|\s*[-:–—].*)?|"
    r"((this )?(report|file|list|data|export) )?(was )?(generated|exported|created|printed|downloaded|produced|run)"
    r"( by| on| at| from|:| \d).*|(page )?\d+ (of|/) \d+|page \d+(/\d+)?|end of (report|file|list|data)\.?|"
    r"powered by .*|last (updated|modified|refreshed)\b.*\d.*|source ?:.*|https?://\S+|"
    r"all (amounts|values|prices|times|dates) (are )?in .*|showing \d[\d,]* (to|of|-|–) \d.*|"
    r"(as of|report date|run date|print date|date range|filtered by|sorted by|filters?|time ?zone)\s*:?.*|"
    r"--+ ?end.*|\* ?denotes .*",
    re.IGNORECASE,
)


@dataclass
class Sheet:
    """The header, and each row that is not empty with its line. Reading rows raises `Unreadable`, too.

    `remarks` are sentences for whoever sent the file; they are complete when all rows are read. `sheets` are the names
    of an XLSX file's sheets, `name` is that of the one which is read.
    """

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    remarks: list[str] = field(default_factory=list)
    name: str = ""
    sheets: list[str] = field(default_factory=list)


def read(content: bytes, sheet: str = "") -> Sheet:
    """Read the file's sheet of that name, or the first that is not hidden. Raises `Unreadable`."""
    if len(content) > MAX_FILE:
        refuse(f"The file is larger than {MAX_FILE // 1_000_000} MB. Split it.")
    if not content.startswith(workbook.PACKED):
        lines, remarks = csv_text.read(content)
        return _with_header(Sheet([], lines, remarks))
    book = chosen = None
    try:
        book = workbook.open_book(content)
        chosen = workbook.choose(book, sheet)
        lines, remarks = worksheet.read(book, chosen)
        names = [each.name for each in book.sheets]
        return _with_header(Sheet([], _guarded(lines, names), remarks, chosen.name, names))
    except Exception as error:
        raise _unreadable(error, [each.name for each in book.sheets] if book else []) from error


def _guarded(lines: Iterator[tuple[int, list[str]]], sheets: list[str]) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from lines
    except Exception as error:
        raise _unreadable(error, sheets) from error


def _unreadable(error: Exception, sheets: list[str]) -> Exception:
    """What a damaged file makes a library raise is no more than that: it can't be read."""
    if isinstance(error, MemoryError):
        return error
    return Unreadable(error.reason if isinstance(error, Unreadable) else DAMAGED, sheets)


def _with_header(sheet: Sheet) -> Sheet:
    for _, cells in sheet.rows:
        sheet.header = [cell.strip() for cell in _trimmed(cells)]
        if sheet.header:
            break
    if not sheet.header:
        raise Unreadable(f"The sheet “{sheet.name}” is empty." if sheet.name else "The file is empty.", sheet.sheets)
    if len(sheet.header) > MAX_COLUMNS:
        raise Unreadable(f"There are more than {MAX_COLUMNS} columns. Delete those that are not needed.", sheet.sheets)
    lines = sheet.rows
    if WHAT_IS_WRONG in sheet.header:
        lines = _sent_again(sheet, lines)
    sheet.rows = _bounded(_without_footers(lines, sheet.header, sheet.remarks))
    return sheet


def _sent_again(sheet: Sheet, lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file that "Download the wrong rows" made, as they were: without our column and our apostrophes.

    Cells beyond the header come after our column. A row of which our column still says that it had such cells has one
    too many for as long as it says so: which value belongs where, only a person can tell.
    """
    place = sheet.header.index(WHAT_IS_WRONG)
    sheet.header = [unescape_formula(cell) for cell in sheet.header[:place] + sheet.header[place + 1 :]]
    sheet.remarks.append(f"The column “{WHAT_IS_WRONG}” is not read.")
    return _as_they_were(lines, place, len(sheet.header))


def _as_they_were(lines: Iterator[tuple[int, list[str]]], place: int, width: int) -> Iterator[tuple[int, list[str]]]:
    for line, row in lines:
        cells = [unescape_formula(cell) for cell in row[:place] + row[place + 1 :]]
        remark = unescape_formula(row[place]) if len(row) > place else ""
        if TOO_MANY_CELLS in remark and len(_trimmed(cells)) <= width:
            cells = [*cells, *[""] * (width - len(cells)), remark]
        yield line, cells


def _without_footers(
    lines: Iterator[tuple[int, list[str]]], header: list[str], remarks: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Leave out lines that are the report's, not rows: totals, copyright, who made it and when, the header once more;
    and name them."""
    left_out: list[str] = []
    for line, row in lines:
        if is_footer(row) or (len(header) > 1 and [cell.strip() for cell in _trimmed(row)] == header):
            left_out.append(f"line {line} (“{next(filter(None, map(str.strip, row)))[:60]}”)")
        else:
            yield line, row
    if left_out:
        more = f" and {len(left_out) - _SHOWN:,} more" if len(left_out) > _SHOWN else ""
        remarks.append(f"Left out as the report's own lines: {', '.join(left_out[:_SHOWN])}{more}.")


def is_footer(row: list[str]) -> bool:
    """Whether a line is the report's own: a total, its copyright, who made it and when."""
    filled = [cell.strip() for cell in row if cell.strip()]
    if not filled:
        return False
    first = filled[0].strip("*-–—=_~()[] ") or filled[0]
    if _TOTAL.fullmatch(first) and all(map(_NUMBERS.fullmatch, filled[1:])):
        return True
    return len(filled) == 1 and len(first) <= 300 and bool(_FOOTER.fullmatch(filled[0]) or _FOOTER.fullmatch(first))


def _bounded(lines: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    rows = characters = 0
    for line, row in lines:
        cells = _trimmed(row)
        if not cells:
            continue
        rows += 1
        if rows > MAX_ROWS:
            refuse(f"There are more than {MAX_ROWS:,} rows. Split the file.")
        if len(cells) > MAX_COLUMNS:
            refuse(f"Line {line}: there are more than {MAX_COLUMNS} columns.")
        for cell in cells:
            characters += len(cell)
            if len(cell) > MAX_CELL:
                refuse(f"Line {line}: a cell has more than {MAX_CELL:,} characters.")
        if characters > MAX_CHARACTERS:
            refuse(f"The cells hold more than {MAX_CHARACTERS:,} characters. Split the file.")
        yield line, cells


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at its end."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
