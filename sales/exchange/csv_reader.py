"""Reading CSV: which encoding it has, what separates its cells, and on which line its first row begins."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from sales.exchange.limits import MAX_CELL_LENGTH, refuse

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = ",;\t|"
_SEPARATOR_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*")
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[ ]*(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_SAMPLE_ROWS = 50  # by which the separator is guessed
_OTHER_FILES = (
    (b"\xd0\xcf\x11\xe0", "This is an old Excel file (.xls), or one with a password. Save it as .xlsx or as "
                          "“CSV UTF-8”."),
    (b"%PDF", "This is a PDF file. Save the table as .xlsx or as “CSV UTF-8”."),
    (b"{\\rtf", "This is a text document (RTF). Save the table as .xlsx or as “CSV UTF-8”."),
    (b"\x1f\x8b", "This is a packed file (gzip). Unpack it, and upload the file inside."),
    (b"7z\xbc\xaf", "This is a packed file (7z). Unpack it, and upload the file inside."),
    (b"Rar!", "This is a packed file (rar). Unpack it, and upload the file inside."),
)  # fmt: skip
_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|table|head|body|\?xml|meta|div)", re.IGNORECASE)


def read_csv(content: bytes) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Return the rows, each with the line it begins on, and remarks for the user about how the file was read.

    Raises `Unreadable`, also while rows are taken.
    """
    text, encoding_remarks = decode(content)
    rows, remarks = split_rows(text)
    return rows, encoding_remarks + remarks


def split_rows(text: str) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Do what `read_csv` does, with text that is already decoded."""
    remarks = []
    start = next(_BLANK_LINES.finditer(text)).end()
    separator_line = _SEPARATOR_LINE.match(text, start)
    start = separator_line.end() if separator_line else start
    line = 1 + len(_LINE_END.findall(text, 0, start))
    separator = separator_line[1] if separator_line else _guess_separator(text[start:])
    if separator != ",":
        remarks.append(f"Its cells are separated by {_SEPARATOR_NAMES.get(separator, f'“{separator}”')}.")
    return _iter_rows(text[start:], separator, line), remarks


def _iter_rows(text: str, separator: str, line: int) -> Iterator[tuple[int, list[str]]]:
    reader = _make_reader(text, separator)
    lines_before = line - 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(f"Line {line}: {_explain(error)}")
        yield line, row
        line = lines_before + reader.line_num + 1


def _make_reader(text: str, separator: str) -> "Reader":
    return csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)


def _guess_separator(text: str) -> str:
    """Return the separator with which most of the first rows have as many cells as the header; if several do, the one
    that gives the most cells."""
    return max(SEPARATORS, key=lambda separator: _rate_separator(text, separator))


def _rate_separator(text: str, separator: str) -> tuple[int, int]:
    """Return how many of the first rows are as wide as the first one that has text in it, and how wide that is."""
    widths: list[int] = []
    with suppress(csv.Error):
        for row in islice(_make_reader(text, separator), _SAMPLE_ROWS):
            if widths or any(cell.strip() for cell in row):
                widths.append(len(row))
    width = widths[0] if widths else 1
    return (widths.count(width), width) if width > 1 else (0, width)


def decode(content: bytes) -> tuple[str, list[str]]:
    """Return the text of a file without a byte order mark, and remarks about its encoding. Raises `Unreadable`."""
    for signature, reason in _OTHER_FILES:
        if content.startswith(signature):
            refuse(reason)
    encoding = _find_utf_16(content)
    if encoding:
        try:
            return content.decode(encoding).lstrip("\ufeff"), ["It is in UTF-16."]
        except UnicodeDecodeError:
            refuse("The file is in UTF-16, and damaged or cut off. Save it as “CSV UTF-8”.")
    if b"\0" in content:
        refuse("The file holds NUL characters, so it is not text. Save it as “CSV UTF-8” or .xlsx.")
    if _WEB_PAGE.match(content.removeprefix(b"\xef\xbb\xbf")):
        refuse("This is a web page or an XML file, whatever its name says. Save the table as .xlsx or “CSV UTF-8”.")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        refuse(f"Line {line} holds characters that are not UTF-8. Save the file as “CSV UTF-8”.")
    # The mark may be there twice, or decoded as letters. DOS programs end a file with the character 1A.
    return text.removeprefix("ï»¿").lstrip("\ufeff").rstrip("\x1a"), []


def _find_utf_16(content: bytes) -> str:
    """Return the encoding if the text is UTF-16, which its mark says, or that every other byte is NUL; else ""."""
    if content.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        refuse("The file is in UTF-32. Save it as “CSV UTF-8”.")
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return encoding
    sample = content[:2_000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 2 > len(sample) * 0.7 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    return ""


def _explain(error: csv.Error) -> str:
    message = str(error)
    if "field limit" in message:
        return f"a cell has more than {MAX_CELL_LENGTH:,} characters, or a quotation mark is not closed."
    if "unexpected end" in message or "expected after" in message:
        return "a quotation mark is not closed, or stands inside a cell. Double it there."
    return f"it can't be read ({message})."
