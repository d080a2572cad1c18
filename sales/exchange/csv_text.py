"""Reading text with separated cells (CSV): which encoding, which separator, and where the first line is."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from sales.exchange.limits import MAX_CELL, refuse

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = ",;\t|"
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_BLANK = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*")
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[ ]*(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_LOOKED_AT = 50  # records by which the separator is known
_OTHER_FILES = (
    (b"\xd0\xcf\x11\xe0", "This is an old Excel file (.xls), or one with a password. Save it as .xlsx or as "
                          "“CSV UTF-8”."),
    (b"%PDF", "This is a PDF file. Save the table as .xlsx or as “CSV UTF-8”."),
    (b"{\\rtf", "This is a text document (RTF). Save the table as .xlsx or as “CSV UTF-8”."),
    (b"\x1f\x8b", "This is a packed file (gzip). Unpack it, and send what is in it."),
    (b"7z\xbc\xaf", "This is a packed file (7z). Unpack it, and send what is in it."),
    (b"Rar!", "This is a packed file (rar). Unpack it, and send what is in it."),
)  # fmt: skip
_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|table|head|body|\?xml|meta|div)", re.IGNORECASE)


def read(content: bytes) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Each record with the line it begins on, and what a person should know of how it was read.

    Raises `Unreadable`, also while records are read.
    """
    text, remarks = decode(content)
    lines, more = split(text)
    return lines, remarks + more


def split(text: str) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """As `read`, of text that is decoded."""
    remarks = []
    start = _BLANK.match(text).end()  # type: ignore[union-attr]
    said = _SEPARATOR_LINE.match(text, start)
    start = said.end() if said else start
    line = 1 + len(_LINE_END.findall(text, 0, start))
    separator = said[1] if said else _separator(text[start:])
    if separator != ",":
        remarks.append(f"Its cells are separated by {_NAMES.get(separator, f'“{separator}”')}.")
    return _records(text[start:], separator, line), remarks


def _records(text: str, separator: str, line: int) -> Iterator[tuple[int, list[str]]]:
    reader = _reader(text, separator)
    before = line - 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(f"Line {line}: {_in_plain_words(error)}")
        yield line, row
        line = before + reader.line_num + 1


def _reader(text: str, separator: str) -> "Reader":
    return csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)


def _separator(text: str) -> str:
    """The one by which most of the first records have as many cells as the header; of several, the one with most."""
    return max(SEPARATORS, key=lambda separator: _fit(text, separator))


def _fit(text: str, separator: str) -> tuple[int, int]:
    """How many of the first records have as many cells as the first one with text in it, and how many it has."""
    widths: list[int] = []
    with suppress(csv.Error):
        for row in islice(_reader(text, separator), _LOOKED_AT):
            if widths or any(cell.strip() for cell in row):
                widths.append(len(row))
    width = widths[0] if widths else 1
    return (widths.count(width), width) if width > 1 else (0, width)


def decode(content: bytes) -> tuple[str, list[str]]:
    """The text of a file, and what a person should know of its encoding. Raises `Unreadable`."""
    for start, reason in _OTHER_FILES:
        if content.startswith(start):
            refuse(reason)
    encoding = _utf_16(content)
    if encoding:
        try:
            return content.decode(encoding).lstrip("\ufeff"), ["It is in UTF-16."]
        except UnicodeDecodeError:
            refuse("The file is in UTF-16, and damaged or cut off. Save it as “CSV UTF-8”.")
    if b"\0" in content:
        refuse("The file holds NUL characters, so it is no text. Save it as “CSV UTF-8” or .xlsx.")
    if _WEB_PAGE.match(content.removeprefix(b"\xef\xbb\xbf")):
        refuse("This is a web page or an XML file, whatever its name says. Save the table as .xlsx or “CSV UTF-8”.")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        place = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        refuse(f"Line {place} holds characters that are not UTF-8. Save the file as “CSV UTF-8”.")
    # A mark may be there twice, or have been read as letters; DOS ended its files with a character.
    return text.removeprefix("ï»¿").lstrip("\ufeff").rstrip("\x1a"), []


def _utf_16(content: bytes) -> str:
    """The encoding where the text is in UTF-16, by its mark or because every other byte is NUL."""
    if content.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        refuse("The file is in UTF-32. Save it as “CSV UTF-8”.")
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return encoding
    first = content[:2_000]
    even, odd = first[::2].count(0), first[1::2].count(0)
    if max(even, odd) * 2 > len(first) * 0.7 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    return ""


def _in_plain_words(error: csv.Error) -> str:
    why = str(error)
    if "field limit" in why:
        return f"a cell has more than {MAX_CELL:,} characters, or a quotation mark is not closed."
    if "unexpected end" in why or "expected after" in why:
        return "a quotation mark is not closed, or stands inside a cell. Double it there."
    return f"it can't be read ({why})."
