"""Opening an XLSX file: which sheets, number formats and shared texts it has.

Nothing in the file is trusted: neither its name nor the sizes and dimensions that it claims.
"""

import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import IO

from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from sales.exchange.limits import (
    MAX_CELL_LENGTH,
    MAX_CHARACTERS,
    MAX_PARTS,
    MAX_UNPACKED_BYTES,
    Unreadable,
    refuse,
)
from sales.exchange.xlsx.number_formats import NumberFormat, parse_number_format
from sales.exchange.xlsx.xml_stream import DAMAGED, TOO_LARGE, Stream, read_all

_OTHER_FILES = (
    ("xl/workbook.bin", "This is a binary Excel file (.xlsb). Save it as .xlsx."),
    ("content.xml", "This is a LibreOffice or OpenDocument file (.ods). Save it as .xlsx or as “CSV UTF-8”."),
    ("mimetype", "This is a LibreOffice or OpenDocument file (.ods). Save it as .xlsx or as “CSV UTF-8”."),
    ("Index/Document.iwa", "This is a Numbers file. Export it as .xlsx or CSV."),
    ("Index.zip", "This is a Numbers file. Export it as .xlsx or CSV."),
    ("word/document.xml", "This is a Word document. Copy the table into a spreadsheet, and save it as .xlsx."),
    ("ppt/presentation.xml", "This is a presentation. Copy the table into a spreadsheet, and save it as .xlsx."),
)
ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # an XLSX file is a ZIP archive
_MAX_SHEET_NAME = 100  # characters; spreadsheets allow 31
_STRICT = (
    "This Excel file is saved as “Strict Open XML Spreadsheet”. Save it as “Excel Workbook (.xlsx)” or “CSV UTF-8”."
)


@dataclass(frozen=True)
class SheetEntry:
    """A sheet as the workbook lists it. `part` is the name of the file inside the archive."""

    name: str
    part: str
    is_hidden: bool


@dataclass
class Book:
    """An open XLSX file, with all that is needed to read its cells."""

    archive: zipfile.ZipFile
    sheets: list[SheetEntry] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)  # names of other parts, by kind (`styles`, `sharedStrings`)
    number_formats: list[NumberFormat] = field(default_factory=list)  # by the style number of a cell
    shared_texts: list[str] = field(default_factory=list)
    epoch: datetime = CALENDAR_WINDOWS_1900  # the day from which the file counts dates

    @property
    def sheet_names(self) -> list[str]:
        return [sheet.name for sheet in self.sheets]

    def open(self, name: str) -> IO[bytes]:
        """Open a part of the file. Raises `Unreadable` if there is no such part."""
        try:
            return self.archive.open(name)
        except KeyError:
            refuse(DAMAGED)


def get_unpacked_size(content: bytes) -> int:
    """Return how many bytes the file's parts claim to have when unpacked; reading stops there. Raises `Unreadable`."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return sum(part.file_size for part in _parts(archive))


def open_book(content: bytes) -> Book:
    """Open an XLSX file and read all but its rows. Raises `Unreadable`, or what `zipfile` raises if it is damaged."""
    book = Book(zipfile.ZipFile(BytesIO(content)))
    if sum(part.file_size for part in _parts(book.archive)) > MAX_UNPACKED_BYTES:
        refuse(TOO_LARGE)
    names = set(book.archive.namelist())
    for name, reason in _OTHER_FILES:
        if name in names:
            refuse(reason)
    if "[Content_Types].xml" not in names:
        refuse("This is a ZIP archive without a spreadsheet in it. Unpack it, and upload the file inside.")
    _read_sheets(book)
    if not book.sheets:
        refuse(DAMAGED)
    _read_number_formats(book)
    return book


def choose_sheet(book: Book, name: str) -> SheetEntry:
    """Return the sheet with this name or, if `name` is empty, the first one that is not hidden. Raises `Unreadable`."""
    for sheet in book.sheets:
        if sheet.name == name if name else not sheet.is_hidden:
            return sheet
    if name:
        raise Unreadable(f"There is no sheet “{name}”. Choose another one.", book.sheet_names)
    return book.sheets[0]


def _parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        refuse(TOO_LARGE)
    if any(part.flag_bits & 1 for part in parts):
        refuse("The file has a password. Save it without one.")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        refuse(DAMAGED)  # no spreadsheet does this, and such a part may unpack to more than it claims
    return parts


def _read_sheets(book: Book) -> None:
    """List the worksheets, and find the parts with the shared texts and the styles."""
    sheet_parts: dict[str, str] = {}  # by the key of a relationship
    workbook_parts: list[str] = []

    def on_type(name: str, attributes: dict[str, str]) -> None:
        if name == "Override" and attributes.get("ContentType", "").endswith("sheet.main+xml"):
            workbook_parts.append(attributes.get("PartName", "").lstrip("/"))

    def on_relationship(name: str, attributes: dict[str, str]) -> None:
        kind, target = attributes.get("Type", "").rpartition("/")[2], attributes.get("Target", "")
        part = target.lstrip("/") if target.startswith("/") else home + target
        if kind == "worksheet":
            sheet_parts[attributes.get("Id", "")] = part
        elif kind:
            book.parts[kind] = part

    def on_element(name: str, attributes: dict[str, str]) -> None:
        if any("purl.oclc.org/ooxml" in value for value in attributes.values()):
            refuse(_STRICT)
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            book.epoch = CALENDAR_MAC_1904
        if name == "sheet":
            key = next((value for attribute, value in attributes.items() if attribute.endswith(":id")), "")
            if key in sheet_parts:
                is_hidden = attributes.get("state", "visible") != "visible"
                title = attributes.get("name", "")[:_MAX_SHEET_NAME]
                book.sheets.append(SheetEntry(title, sheet_parts[key], is_hidden))

    read_all(book.open("[Content_Types].xml"), on_type)
    workbook = workbook_parts[0] if workbook_parts else "xl/workbook.xml"
    home, _, file = workbook.rpartition("/")
    home = f"{home}/" if home else ""
    read_all(book.open(f"{home}_rels/{file}.rels"), on_relationship)
    read_all(book.open(workbook), on_element)


def _read_number_formats(book: Book) -> None:
    codes = dict(enumerate(_BUILTIN_CODES))
    style_formats: list[int] = []  # the number of the format that each style uses
    lists: list[str] = []  # the lists of styles, in the order in which they begin

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in ("cellXfs", "cellStyleXfs"):
            lists.append(name)
        elif name == "numFmt" and attributes.get("numFmtId", "").isdigit():
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")[:255]
        elif name == "xf" and lists[-1:] == ["cellXfs"]:
            style_formats.append(int(attributes.get("numFmtId", "0") or 0))

    if "styles" in book.parts:
        read_all(book.open(book.parts["styles"]), start)
    formats = {number: parse_number_format(codes.get(number) or "") for number in set(style_formats)}
    book.number_formats = [formats[number] for number in style_formats]


_BUILTIN_CODES = [BUILTIN_FORMATS.get(number, "") for number in range(max(BUILTIN_FORMATS) + 1)]


def read_shared_texts(book: Book) -> None:
    """Read the table of texts that cells refer to; of each text no more than a cell may have."""
    if "sharedStrings" not in book.parts:
        return
    characters = 0
    pieces: list[str] = []
    length = phonetic_depth = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal length, phonetic_depth
        if name == "si":
            pieces.clear()
            length = 0
        phonetic_depth += name == "rPh"
        if name == "t" and not phonetic_depth:
            stream.listen(True)

    def end(name: str) -> None:
        nonlocal characters, phonetic_depth
        if name == "t":
            stream.listen(False)
        phonetic_depth -= name == "rPh"
        if name == "si":
            book.shared_texts.append("".join(pieces))
            characters += length + 1
            if characters > MAX_CHARACTERS:
                refuse(TOO_LARGE)

    def text(piece: str) -> None:
        nonlocal length
        if length <= MAX_CELL_LENGTH:
            pieces.append(piece)
            length += len(piece)

    stream = Stream(start, end, text)
    for _ in stream.feed(book.open(book.parts["sharedStrings"])):
        pass
