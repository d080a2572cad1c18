"""A file that can't be read gets a clear word, and what can is read as it was typed."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from sales import errors
from sales.exchange import file_reader, mapping


def rows_of(content):
    sheet = file_reader.read_file(content)
    mapping.map_columns(sheet.header)
    return list(sheet.rows)


def xlsx(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(content, **parts):
    """An XLSX file with other parts in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name.rpartition("/")[2].partition(".")[0], None) or old.read(name))
        for name, data in parts.items():
            new.writestr(name, data)
    return file.getvalue()


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}<sheetData>{}</sheetData></worksheet>'
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
    + "".join(f'<!ENTITY {n} "{f"&{p};" * 40}">' for p, n in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
    + SHEET.format("", '<row><c t="str"><v>&i;</v></c></row>')
)
GOOD = xlsx(["Company"], ["A"])

REFUSED = {
    "empty": (b"", "The file is empty."),
    "blank": (b"\n\n,,\n", "The file is empty."),
    "UTF-16, cut off": ("Company\nA\n".encode("utf-16")[:-1], "The file is in UTF-16, and damaged or cut off."),
    "UTF-32": ("Company\nA\n".encode("utf-32"), "The file is in UTF-32. Save it as “CSV UTF-8”."),
    "NUL": (b"Company\nA\0B\n", "NUL characters"),
    "bad bytes": ("Company\nA\nCaf\u00e9\n".encode("latin-1"), "Line 3 holds characters that are not UTF-8."),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls)"),
    "open quotation": (b'Company\n"A\nB\n', "Line 2: a quotation mark is not closed"),
    "quotation inside": (b'Company\n"A"B\n', "Line 2: a quotation mark is not closed, or stands inside"),
    "huge cell": (b"Company\n" + b"A" * 40_000, "Line 2: a cell has more than 32,767 characters."),
    "huge cell for the reader": (b"Company\n" + b"A" * 200_000, "Line 2: a cell has more than 32,767 characters"),
    "headers twice": (b"Company,Contact,company\nA,B,C\n", "These columns are the same: Company, company."),
    "headers alike": (b"E-mail,Company,email address\n", "These columns are the same: E-mail, email address."),
    "unknown headers twice": (b"Company,Color,color\n", "This header is there more than once: Color, color."),
    "no header": (b"Company,,Phone\nA,B,C\n", "Column B has no header."),
    "no names": (b"A,B\nC,D\n", "with Company or Contact among them"),
    "columns": (b",".join(b"Column %d" % n for n in range(101)), "There are more than 100 columns."),
    "no workbook": (b"PK\x03\x04 and nothing more", "damaged"),
    "another archive": (repacked(GOOD, workbook=b"<nothing/>"), "damaged"),
    "cut off": (GOOD[:-100], "damaged"),
    "a zip bomb": (repacked(GOOD, bomb=b"\0" * 201_000_000), "Unpacked, the Excel file is too large."),
    "many parts": (
        repacked(GOOD, **{f"part{n}": b"x" for n in range(1_001)}),
        "Unpacked, the Excel file is too large.",
    ),
    "an entity bomb": (repacked(GOOD, sheet1=BOMB.encode()), "damaged"),
    "rows far away": (
        repacked(GOOD, sheet1=SHEET.format("", '<row r="99999999999"><c t="str"><v>x</v></c></row>').encode()),
        "The sheet has more rows than a spreadsheet can have.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_read_is_refused_in_plain_words(name):
    content, why = REFUSED[name]
    with pytest.raises(errors.Invalid) as refused:
        rows_of(content)
    assert why in refused.value.fields["file"]


def test_rows_and_bytes_have_limits(monkeypatch):
    monkeypatch.setattr(file_reader, "MAX_ROWS", 2)
    assert len(rows_of(b"Company\nA\nB\n\n,\n")) == 2
    with pytest.raises(errors.Invalid, match="There are more than 2 rows"):
        rows_of(b"Company\nA\nB\nC\n")
    monkeypatch.setattr(file_reader, "MAX_FILE_BYTES", 10)
    with pytest.raises(errors.Invalid, match="The file is larger than"):
        rows_of(b"Company\nA\nB\n")


@pytest.mark.parametrize(
    "content",
    [
        "Company,Notes\nA,\"1\n2\"\n\nÉcole;x,\n".encode("utf-8-sig"),
        "Company,Notes\r\nA,\"1\n2\"\r\n\r\nÉcole;x,\r\n".encode(),
        "Company;Notes\nA;\"1\n2\"\n;\n\"École;x\";\n".encode(),
        "Company\tNotes\nA\t\"1\n2\"\n\t\nÉcole;x\n".encode(),
    ],
)  # fmt: skip
def test_csv_as_programs_write_it(content):
    assert rows_of(content) == [(2, ["A", "1\n2"]), (5, ["École;x"])]


def test_excel_cells_are_read_as_one_would_type_them():
    found = rows_of(
        xlsx(
            ["Company", "Phone", "Pickup", "Passengers", "Repeat", "Value", "Notes"],
            ["A", 2125550100, datetime(2026, 5, 1, 8, 30), 45.0, True, 1200.5, "=1+1"],
            [],
            ["B"],
        )
    )
    assert found == [(2, ["A", "2125550100", "2026-05-01 08:30:00", "45", "yes", "1200.5", "=1+1"]), (4, ["B"])]


def test_dimensions_that_a_sheet_claims_are_not_believed():
    content = repacked(
        GOOD,
        sheet1=SHEET.format(
            '<dimension ref="A1:XFD1048576"/>',
            '<row r="1"><c r="A1" t="str"><v>Company</v></c></row><row r="3"><c r="A3" t="str"><v>A</v></c></row>',
        ).encode(),
    )
    assert rows_of(content) == [(3, ["A"])]
