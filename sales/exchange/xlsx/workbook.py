"""Opening an XLSX file: which sheets it has, and what its cells' styles and shared texts are.

Nothing in it is believed: not its name, not the sizes and dimensions that it claims.
"""

import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import IO

from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from sales.exchange.limits import MAX_CELL, MAX_CHARACTERS, MAX_PARTS, MAX_UNPACKED, Unreadable, refuse
from sales.exchange.styles import Style, of_format
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
PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # how a packed file begins
_LONGEST_NAME = 100  # characters; spreadsheets allow 31
_STRICT = (
    "This Excel file is saved as “Strict Open XML Spreadsheet”. Save it as “Excel Workbook (.xlsx)” or “CSV UTF-8”."
)


@dataclass(frozen=True)
class SheetName:
    name: str
    part: str
    is_hidden: bool


@dataclass
class Book:
    """What is needed to read cells."""

    archive: zipfile.ZipFile
    sheets: list[SheetName] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)  # by the kind that the workbook relates to
    styles: list[Style] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    epoch: datetime = CALENDAR_WINDOWS_1900

    def open(self, name: str) -> IO[bytes]:
        try:
            return self.archive.open(name)
        except KeyError:
            refuse(DAMAGED)


def weight(content: bytes) -> int:
    """How many bytes the file's parts claim to have, unpacked: reading never goes beyond. Raises `Unreadable`."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return sum(part.file_size for part in _parts(archive))


def open_book(content: bytes) -> Book:
    """Raises `Unreadable`; for a damaged archive what `zipfile` raises."""
    book = Book(zipfile.ZipFile(BytesIO(content)))
    if sum(part.file_size for part in _parts(book.archive)) > MAX_UNPACKED:
        refuse(TOO_LARGE)
    names = set(book.archive.namelist())
    for name, reason in _OTHER_FILES:
        if name in names:
            refuse(reason)
    if "[Content_Types].xml" not in names:
        refuse("This is a ZIP archive without a spreadsheet in it. Unpack it, and send what is in it.")
    _read_sheets(book)
    if not book.sheets:
        refuse(DAMAGED)
    _read_styles(book)
    return book


def choose(book: Book, name: str) -> SheetName:
    """The sheet of that name, or else the first one that people see. Raises `Unreadable`."""
    for sheet in book.sheets:
        if sheet.name == name if name else not sheet.is_hidden:
            return sheet
    if name:
        raise Unreadable(f"There is no sheet “{name}”.", [sheet.name for sheet in book.sheets])
    return book.sheets[0]


def _parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        refuse(TOO_LARGE)
    if any(part.flag_bits & 1 for part in parts):
        refuse("The file has a password. Save it without one.")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        refuse(DAMAGED)  # no spreadsheet packs so, and such a part may unpack to more than it claims
    return parts


def _read_sheets(book: Book) -> None:
    """List the worksheets, and where the table of texts and the styles are."""
    where: dict[str, str] = {}
    main: list[str] = []

    def on_type(name: str, attributes: dict[str, str]) -> None:
        if name == "Override" and attributes.get("ContentType", "").endswith("sheet.main+xml"):
            main.append(attributes.get("PartName", "").lstrip("/"))

    def on_relationship(name: str, attributes: dict[str, str]) -> None:
        kind, target = attributes.get("Type", "").rpartition("/")[2], attributes.get("Target", "")
        part = target.lstrip("/") if target.startswith("/") else home + target
        if kind == "worksheet":
            where[attributes.get("Id", "")] = part
        elif kind:
            book.parts[kind] = part

    def on_element(name: str, attributes: dict[str, str]) -> None:
        if any("purl.oclc.org/ooxml" in value for value in attributes.values()):
            refuse(_STRICT)
        if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            book.epoch = CALENDAR_MAC_1904
        if name == "sheet":
            key = next((value for each, value in attributes.items() if each.endswith(":id")), "")
            if key in where:
                hidden = attributes.get("state", "visible") != "visible"
                book.sheets.append(SheetName(attributes.get("name", "")[:_LONGEST_NAME], where[key], hidden))

    read_all(book.open("[Content_Types].xml"), on_type)
    workbook = main[0] if main else "xl/workbook.xml"
    home, _, file = workbook.rpartition("/")
    home = f"{home}/" if home else ""
    read_all(book.open(f"{home}_rels/{file}.rels"), on_relationship)
    read_all(book.open(workbook), on_element)


def _read_styles(book: Book) -> None:
    formats = dict(enumerate(_BUILTIN))
    used: list[int] = []
    inside: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in ("cellXfs", "cellStyleXfs"):
            inside.append(name)
        elif name == "numFmt" and attributes.get("numFmtId", "").isdigit():
            formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")[:255]
        elif name == "xf" and inside[-1:] == ["cellXfs"]:
            used.append(int(attributes.get("numFmtId", "0") or 0))

    if "styles" in book.parts:
        read_all(book.open(book.parts["styles"]), start)
    styles = {number: of_format(formats.get(number) or "") for number in set(used)}
    book.styles = [styles[number] for number in used]


_BUILTIN = [BUILTIN_FORMATS.get(number, "") for number in range(max(BUILTIN_FORMATS) + 1)]


def read_texts(book: Book) -> None:
    """The table of texts that cells refer to: of each no more than a cell may have."""
    if "sharedStrings" not in book.parts:
        return
    characters = 0
    pieces: list[str] = []
    length = phonetic = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal length, phonetic
        if name == "si":
            pieces.clear()
            length = 0
        phonetic += name == "rPh"
        if name == "t" and not phonetic:
            stream.listen(True)

    def end(name: str) -> None:
        nonlocal characters, phonetic
        if name == "t":
            stream.listen(False)
        phonetic -= name == "rPh"
        if name == "si":
            book.texts.append("".join(pieces))
            characters += length + 1
            if characters > MAX_CHARACTERS:
                refuse(TOO_LARGE)

    def text(piece: str) -> None:
        nonlocal length
        if length <= MAX_CELL:
            pieces.append(piece)
            length += len(piece)

    stream = Stream(start, end, text)
    for _ in stream.feed(book.open(book.parts["sharedStrings"])):
        pass
