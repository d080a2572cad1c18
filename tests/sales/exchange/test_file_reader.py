"""Files are read as they were typed, or refused with the reason."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from sales import errors
from sales.exchange import file_reader, mapping


def read_rows(content):
    sheet = file_reader.read_file(content)
    mapping.map_columns(sheet.header)
    return list(sheet.rows)


def make_xlsx(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repack(content, **parts):
    """Return the XLSX file with these parts replaced or added, by name."""
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
GOOD = make_xlsx(["Company"], ["A"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "The file is empty.", id="empty"),
        pytest.param(b"\n\n,,\n", "The file is empty.", id="blank"),
        pytest.param(
            "Company\nA\n".encode("utf-16")[:-1], "The file is in UTF-16, and damaged or cut off.", id="UTF-16, cut off"
        ),
        pytest.param("Company\nA\n".encode("utf-32"), "The file is in UTF-32. Save it as “CSV UTF-8”.", id="UTF-32"),
        pytest.param(b"Company\nA\0B\n", "NUL characters", id="NUL"),
        pytest.param(
            "Company\nA\nCaf\u00e9\n".encode("latin-1"), "Line 3 holds characters that are not UTF-8.", id="bad bytes"
        ),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls)", id="old Excel"),
        pytest.param(b'Company\n"A\nB\n', "Line 2: a quotation mark is not closed", id="open quotation"),
        pytest.param(
            b'Company\n"A"B\n', "Line 2: a quotation mark is not closed, or stands inside", id="quotation inside"
        ),
        pytest.param(b"Company\n" + b"A" * 40_000, "Line 2: a cell has more than 32,767 characters.", id="huge cell"),
        pytest.param(
            b"Company\n" + b"A" * 200_000,
            "Line 2: a cell has more than 32,767 characters",
            id="huge cell for the reader",
        ),
        pytest.param(
            b"Company,Contact,company\nA,B,C\n", "These columns are the same: Company, company.", id="headers twice"
        ),
        pytest.param(
            b"E-mail,Company,email address\n", "These columns are the same: E-mail, email address.", id="headers alike"
        ),
        pytest.param(
            b"Company,Color,color\n", "This header is there more than once: Color, color.", id="unknown headers twice"
        ),
        pytest.param(b"Company,,Phone\nA,B,C\n", "Column B has no header.", id="no header"),
        pytest.param(b"A,B\nC,D\n", "with Company or Contact among them", id="no names"),
        pytest.param(b",".join(b"Column %d" % n for n in range(101)), "There are more than 100 columns.", id="columns"),
        pytest.param(b"PK\x03\x04 and nothing more", "damaged", id="no workbook"),
        pytest.param(repack(GOOD, workbook=b"<nothing/>"), "damaged", id="another archive"),
        pytest.param(GOOD[:-100], "damaged", id="cut off"),
        pytest.param(repack(GOOD, bomb=b"\0" * 201_000_000), "Unpacked, the Excel file is too large.", id="a zip bomb"),
        pytest.param(
            repack(GOOD, **{f"part{n}": b"x" for n in range(1_001)}),
            "Unpacked, the Excel file is too large.",
            id="many parts",
        ),
        pytest.param(repack(GOOD, sheet1=BOMB.encode()), "damaged", id="an entity bomb"),
        pytest.param(
            repack(GOOD, sheet1=SHEET.format("", '<row r="99999999999"><c t="str"><v>x</v></c></row>').encode()),
            "The sheet has more rows than a spreadsheet can have.",
            id="rows far away",
        ),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_with_the_reason(content, reason):
    with pytest.raises(errors.Invalid) as refused:
        read_rows(content)
    assert reason in refused.value.fields["file"]


def test_a_file_of_the_greatest_size_is_read_and_a_larger_one_refused(monkeypatch):
    content = b"Company\nA\nB\n"
    monkeypatch.setattr(file_reader, "MAX_FILE_BYTES", len(content))
    assert len(read_rows(content)) == 2
    with pytest.raises(errors.Invalid, match="The file is larger than"):
        read_rows(content + b"\n")


@pytest.mark.parametrize(
    ("limit", "greatest", "content", "too_much", "reason"),
    [
        ("MAX_ROWS", 2, b"Company\nA\nB\n\n,\n", b"Company\nA\nB\nC\n", "There are more than 2 rows"),
        ("MAX_COLUMNS", 2, b"Company,B\nA,B,\n", b"Company,B\nA,B,C\n", "Line 2: there are more than 2 columns"),
        ("MAX_COLUMNS", 2, b"Company,B\nA,B\n", b"Company,B,C\nA,B,C\n", "There are more than 2 columns"),
        ("MAX_CELL_LENGTH", 3, b"Company\nAbc\n", b"Company\nAbcd\n", "a cell has more than 3 characters"),
        ("MAX_CHARACTERS", 4, b"Company\nAb\nCd\n", b"Company\nAb\nCde\n", "hold more than 4 characters"),
    ],
    ids=["rows", "columns of a row", "columns of the header", "characters of a cell", "characters in all"],
)
def test_at_a_limit_a_file_is_read_and_beyond_it_refused(monkeypatch, limit, greatest, content, too_much, reason):
    monkeypatch.setattr(file_reader, limit, greatest)
    assert read_rows(content)
    with pytest.raises(errors.Invalid, match=reason):
        read_rows(too_much)


@pytest.mark.parametrize(
    "content",
    [
        'Company,Notes\nA,"1\n2"\n\nÉcole;x,\n'.encode("utf-8-sig"),
        'Company,Notes\r\nA,"1\n2"\r\n\r\nÉcole;x,\r\n'.encode(),
        'Company;Notes\nA;"1\n2"\n;\n"École;x";\n'.encode(),
        'Company\tNotes\nA\t"1\n2"\n\t\nÉcole;x\n'.encode(),
    ],
)
def test_empty_lines_and_line_breaks_in_cells(content):
    assert read_rows(content) == [(2, ["A", "1\n2"]), (5, ["École;x"])]


def test_excel_cells_are_read_as_a_person_would_type_them():
    rows = read_rows(
        make_xlsx(
            ["Company", "Phone", "Pickup", "Passengers", "Repeat", "Value", "Notes"],
            ["A", 2125550100, datetime(2026, 5, 1, 8, 30), 45.0, True, 1200.5, "=1+1"],
            [],
            ["B"],
        )
    )
    assert rows == [(2, ["A", "2125550100", "2026-05-01 08:30:00", "45", "yes", "1200.5", "=1+1"]), (4, ["B"])]


def test_the_dimensions_that_a_sheet_claims_do_not_count():
    content = repack(
        GOOD,
        sheet1=SHEET.format(
            '<dimension ref="A1:XFD1048576"/>',
            '<row r="1"><c r="A1" t="str"><v>Company</v></c></row><row r="3"><c r="A3" t="str"><v>A</v></c></row>',
        ).encode(),
    )
    assert read_rows(content) == [(3, ["A"])]
