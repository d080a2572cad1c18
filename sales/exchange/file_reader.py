"""Reading a CSV or XLSX file that somebody uploads: its header and rows as text, or the reason why it can't be read.

Memory and time stay within `limits`. Nothing here needs the database: `subprocess_reader` reads large files in a
process of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from athena.http.spreadsheet_cells import unescape_formula
from sales.exchange import csv_reader
from sales.exchange.footers import is_footer
from sales.exchange.limits import MAX_CELL_LENGTH, MAX_CHARACTERS, MAX_COLUMNS, Unreadable, refuse
from sales.exchange.xlsx import workbook, worksheet
from sales.exchange.xlsx.xml_stream import DAMAGED

MAX_FILE_BYTES = 20_000_000  # also the web server's limit
TOO_LARGE = f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB. Split it and upload the parts."
MAX_ROWS = 200_000
PROBLEMS_HEADER = "What is wrong"  # the column that "Download the wrong rows" adds
TOO_MANY_CELLS = "It has more cells than the header."
MAX_NAMED_FOOTERS = 5

Row = tuple[int, list[str]]  # the line on which a row begins, and its cells


@dataclass
class Sheet:
    """A header, and the rows that are not empty. Taking rows raises `Unreadable`, too.

    `remarks` are sentences for the user about how the file was read; they are complete when all rows are taken.
    `sheets` are the names of an XLSX file's sheets, and `name` is the one that is read.
    """

    header: list[str]
    rows: Iterator[Row]
    remarks: list[str] = field(default_factory=list)
    name: str = ""
    sheets: list[str] = field(default_factory=list)


def read_file(content: bytes, sheet_name: str = "") -> Sheet:
    """Read the sheet with this name, or the first one that is not hidden. Raises `Unreadable`."""
    if len(content) > MAX_FILE_BYTES:
        refuse(TOO_LARGE)
    if not content.startswith(workbook.ZIP_SIGNATURES):
        rows, remarks = csv_reader.read_csv(content)
        return _read_header(Sheet([], rows, remarks))
    book = sheet = None
    try:
        book = workbook.open_book(content)
        sheet = workbook.choose_sheet(book, sheet_name)
        rows, remarks = worksheet.read_worksheet(book, sheet)
        names = book.sheet_names
        return _read_header(Sheet([], _translate_errors(rows, names), remarks, sheet.name, names))
    except Exception as error:
        raise _to_unreadable(error, book.sheet_names if book else []) from error


def _translate_errors(rows: Iterator[Row], sheets: list[str]) -> Iterator[Row]:
    try:
        yield from rows
    except Exception as error:
        raise _to_unreadable(error, sheets) from error


def _to_unreadable(error: Exception, sheets: list[str]) -> Exception:
    """Return `Unreadable` for whatever a library raises while it reads a damaged file."""
    if isinstance(error, MemoryError):
        return error
    return Unreadable(error.reason if isinstance(error, Unreadable) else DAMAGED, sheets)


def _read_header(sheet: Sheet) -> Sheet:
    """Take the header from the sheet's rows, and put the checks and filters around the rows that follow."""
    for _, cells in sheet.rows:
        sheet.header = [cell.strip() for cell in _trim(cells)]
        if sheet.header:
            break
    if not sheet.header:
        raise Unreadable(f"The sheet “{sheet.name}” is empty." if sheet.name else "The file is empty.", sheet.sheets)
    if len(sheet.header) > MAX_COLUMNS:
        raise Unreadable(f"There are more than {MAX_COLUMNS} columns. Delete those that are not needed.", sheet.sheets)
    rows = sheet.rows
    if PROBLEMS_HEADER in sheet.header:
        rows = _restore_wrong_rows(sheet, rows)
    sheet.rows = _check_limits(_leave_out_footers(rows, sheet.header, sheet.remarks))
    return sheet


def _restore_wrong_rows(sheet: Sheet, rows: Iterator[Row]) -> Iterator[Row]:
    """Turn a file made by "Download the wrong rows" back: without the added column and the added apostrophes.

    Cells beyond the header come after the added column. A row that has lost them, but whose added cell still says that
    it had some, gets one cell too many: only a person can tell which value belongs where.
    """
    place = sheet.header.index(PROBLEMS_HEADER)
    sheet.header = [unescape_formula(cell) for cell in sheet.header[:place] + sheet.header[place + 1 :]]
    sheet.remarks.append(f"The column “{PROBLEMS_HEADER}” is not read.")
    return _iter_restored_rows(rows, place, len(sheet.header))


def _iter_restored_rows(rows: Iterator[Row], place: int, width: int) -> Iterator[Row]:
    for line, row in rows:
        cells = [unescape_formula(cell) for cell in row[:place] + row[place + 1 :]]
        problems = unescape_formula(row[place]) if len(row) > place else ""
        if TOO_MANY_CELLS in problems and len(_trim(cells)) <= width:
            cells = [*cells, *[""] * (width - len(cells)), problems]
        yield line, cells


def _leave_out_footers(rows: Iterator[Row], header: list[str], remarks: list[str]) -> Iterator[Row]:
    """Leave out footers and repeated headers, and name them in `remarks`."""
    left_out: list[str] = []
    for line, row in rows:
        if is_footer(row) or (len(header) > 1 and [cell.strip() for cell in _trim(row)] == header):
            left_out.append(f"line {line} (“{next(filter(None, map(str.strip, row)))[:60]}”)")
        else:
            yield line, row
    if left_out:
        rest = len(left_out) - MAX_NAMED_FOOTERS
        more = f" and {rest:,} more" if rest > 0 else ""
        remarks.append(f"Left out as the report's own lines: {', '.join(left_out[:MAX_NAMED_FOOTERS])}{more}.")


def _check_limits(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows that are not empty, without empty cells at their end, until one exceeds a limit."""
    row_count = characters = 0
    for line, row in rows:
        cells = _trim(row)
        if not cells:
            continue
        row_count += 1
        if row_count > MAX_ROWS:
            refuse(f"There are more than {MAX_ROWS:,} rows. Split the file and upload the parts.")
        if len(cells) > MAX_COLUMNS:
            refuse(f"Line {line}: there are more than {MAX_COLUMNS} columns. Delete those that are not needed.")
        for cell in cells:
            characters += len(cell)
            if len(cell) > MAX_CELL_LENGTH:
                refuse(f"Line {line}: a cell has more than {MAX_CELL_LENGTH:,} characters. Shorten it.")
        if characters > MAX_CHARACTERS:
            refuse(f"The cells hold more than {MAX_CHARACTERS:,} characters. Split the file and upload the parts.")
        yield line, cells


def _trim(cells: list[str]) -> list[str]:
    """Return the cells without empty ones at the end."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
