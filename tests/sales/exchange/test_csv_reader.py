"""CSV as programs write it: its separator, its encoding, its first line, and files that are not CSV."""

import csv
import io

import pytest

from sales import errors
from sales.exchange import file_reader, mapping

ROWS = [["Company", "Contact", "Notes"], ["A", "Ann", 'Call, then; "mail"|\ttwice\nor more'], ["Café", "Bo", ""]]


def write_rows(separator, end, **options):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=end, **options).writerows(ROWS)
    return file.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", ["", "\r\n", "\n\n \n", "sep={}\r\n", '"SEP={}"\n\n'])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_every_program_writes_the_same_rows(separator, end, encoding, before, quoting):
    content = (before.format(separator) + write_rows(separator, end, quoting=quoting)).encode(encoding)
    sheet = file_reader.read_file(content)
    assert sheet.header == ROWS[0]
    assert [cells for _, cells in sheet.rows] == [ROWS[1], ROWS[2][:2]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        # Spaces after separators, a header of two lines, the ends of lines of old Macs.
        ('Company, Contact, Notes\nA, Ann, "Call, then mail"\n', [(2, ["A", "Ann", "Call, then mail"])]),
        ('"Company\nname";Contact\nA;Ann\n', [(3, ["A", "Ann"])]),
        ("Company;Contact;Notes\rA;Ann;Call, mail, visit, call", [(2, ["A", "Ann", "Call, mail, visit, call"])]),
        ("\ufeff\ufeffCompany,Contact\nA,Ann", [(2, ["A", "Ann"])]),
        ("ï»¿Company,Contact\nA,Ann", [(2, ["A", "Ann"])]),
        (";;\n ;\nCompany;Contact\nA;Ann", [(4, ["A", "Ann"])]),
        ("Company\nA;B\n", [(2, ["A;B"])]),
        ("Company, legal;Contact;Notes, long\nA;B;C\nD, E;F;G\n", [(2, ["A", "B", "C"]), (3, ["D, E", "F", "G"])]),
        ("Company;Contact, or, else, who\nA;B\n", [(2, ["A", "B"])]),
        ("PK-Contact,Company\nA,B\n", [(2, ["A", "B"])]),
        ("Company,Contact\nA,Ann\n\x1a", [(2, ["A", "Ann"])]),
        ("Company,Contact\r\r\nA,Ann\r\r\n", [(3, ["A", "Ann"])]),
    ],
)
def test_the_header_and_the_separator_are_found(text, rows):
    sheet = file_reader.read_file(text.encode())
    mapping.map_columns(sheet.header)
    assert list(sheet.rows) == rows


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7 x", "This is a PDF file."),
        (b"<html><table><tr><td>Company</td></tr></table>", "This is a web page or an XML file"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "This is a web page or an XML file"),
        (b"\x1f\x8b\x08x", "This is a packed file (gzip)."),
        ("Company\nCafé\n".encode("cp1252"), "Line 2 holds characters that are not UTF-8."),
        ("Company\rA\rCafé\r".encode("mac-roman"), "Line 3 holds characters that are not UTF-8."),
        (b"Company:Contact\nA:B\n", "Separate cells by commas, semicolons, tabs or vertical bars."),
        (b"Company,Tag,Tag\nA,x,y\n", "more than once: Tag. Rename or delete one of them."),
        (b"Color,Size\nred,1\n", "with Company or Contact among them. It is: Color, Size."),
    ],
)
def test_other_files_are_refused_with_the_reason(content, reason):
    with pytest.raises(errors.Invalid) as refused:
        mapping.map_columns(file_reader.read_file(content).header)
    assert reason in refused.value.fields["file"]
