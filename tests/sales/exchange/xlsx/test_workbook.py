"""XLSX files are read as people see them, or refused with the reason before they take memory or time."""

import pytest

from sales.exchange import file_reader, limits, subprocess_reader
from sales.exchange.limits import Unreadable
from sales.exchange.xlsx import workbook, worksheet
from tests.sales.exchange import hostile_workbooks
from tests.sales.exchange.hostile_workbooks import text_cell


@pytest.mark.parametrize("name", hostile_workbooks.HOSTILE)
def test_a_hostile_file_is_refused_after_a_limited_part_of_it(name, monkeypatch):
    """Counts, and does not time, the bytes that are unpacked and the rows."""
    content, read = hostile_workbooks.HOSTILE[name](), 0
    assert len(content) < 400_000
    opened = workbook.Book.open

    def counted(book, part):
        stream = opened(book, part)
        take = stream.read

        def reading(size):
            nonlocal read
            piece = take(size)
            read += len(piece)
            return piece

        stream.read = reading
        return stream

    monkeypatch.setattr(workbook.Book, "open", counted)
    with pytest.raises(Unreadable, match=r"\.$"):
        assert sum(1 for _ in file_reader.read_file(content).rows) < 3_000
    assert read < 70_000_000


def test_a_file_that_is_large_when_unpacked_is_read_by_a_child_process(monkeypatch):
    rows = "".join(f'<row r="{line}">{text_cell(f"A{line}", f"Company {line}")}</row>' for line in range(2, 30_000))
    content = hostile_workbooks.workbook(hostile_workbooks.sheet(rows))
    assert len(content) < 300_000
    assert not subprocess_reader.is_small(content)
    monkeypatch.setattr(file_reader, "read_file", lambda *_: pytest.fail("read in this process"))
    with subprocess_reader.open_sheet(content) as sheet:
        rows_read = list(sheet.rows)
    assert sheet.header == ["Company"]
    assert len(rows_read) == 29_998
    assert rows_read[0] == (2, ["Company 2"])
    assert rows_read[-1] == (29_999, ["Company 29999"])


def test_the_child_process_says_why_it_refuses_a_file_and_which_sheets_it_has():
    content = hostile_workbooks.workbook(
        hostile_workbooks.sheet(f'<row r="2">{"<c/>" * 6_000_000}</row>'),
        hostile_workbooks.sheet(hostile_workbooks.A_ROW),
        names="XY",
    )
    with (
        pytest.raises(Unreadable, match="Unpacked, the Excel file is too large") as refused,
        subprocess_reader.open_sheet(content),
    ):
        pass
    assert refused.value.sheets == ["X", "Y"]


@pytest.mark.parametrize("return_code", [-9, -24])
def test_if_the_child_process_is_killed_the_file_is_refused(return_code, monkeypatch):
    monkeypatch.setattr(subprocess_reader, "is_small", lambda _: False)
    monkeypatch.setattr(
        subprocess_reader.subprocess,
        "run",
        lambda *_, **__: subprocess_reader.subprocess.CompletedProcess([], return_code, b"", b""),
    )
    with pytest.raises(Unreadable, match="more memory or time"), subprocess_reader.open_sheet(b"Company\nA\n"):
        pass


def test_the_first_visible_sheet_is_read_and_the_others_are_named():
    first, second, third = (
        hostile_workbooks.sheet(f'<row r="2">{text_cell("A2", name)}</row>') for name in ("Alpha", "Beta", "Gamma")
    )
    content = hostile_workbooks.workbook(
        first, second, third, names=["Lists", "March", "April"], states=["veryHidden", "visible", "visible"]
    )
    sheet = file_reader.read_file(content)
    assert sheet.name == "March"
    assert sheet.sheets == ["Lists", "March", "April"]
    assert list(sheet.rows) == [(2, ["Beta"])]
    assert sheet.remarks == ["The sheet “March” was read. Left out: “Lists” (hidden), “April”."]
    assert list(file_reader.read_file(content, "Lists").rows) == [(2, ["Alpha"])]
    with pytest.raises(Unreadable, match="There is no sheet “May”"):
        file_reader.read_file(content, "May")


def test_hidden_rows_and_merged_cells_are_read_with_a_remark():
    rows = (
        f'<row r="2" hidden="1">{text_cell("A2", "Alpha")}{text_cell("C2", "x")}</row>'
        f'<row r="3">{text_cell("C3", "y")}</row><row r="4">{text_cell("C4", "z")}</row><row r="5"/>'
        f'<row r="6">{text_cell("C6", "w")}</row>'
    )
    content = hostile_workbooks.workbook(
        hostile_workbooks.sheet(
            rows, '<cols><col min="3" max="3" hidden="1"/></cols>', '<mergeCells><mergeCell ref="A2:B5"/></mergeCells>'
        )
    )
    sheet = file_reader.read_file(content)
    assert list(sheet.rows) == [
        (2, ["Alpha", "", "x"]),
        (3, ["Alpha", "", "y"]),
        (4, ["Alpha", "", "z"]),
        (6, ["", "", "w"]),
    ]
    assert sheet.remarks == [
        "A merged cell's value stands for each of its rows.",
        "Hidden rows were read, too: 1.",
        "Hidden columns were read, too: C.",
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1353.125", "1353.125"),
        ("353.125", "353.1250"),
        ("0.30000000000000004", "0.3"),
        ("44.99999999", "44.99999999"),
        ("447911123456", "447911123456"),
        ("1234567890123456789", "1.23456789012346e+18"),
        ("1E-05", "0.00001"),
    ],
)
def test_numbers_have_as_many_digits_as_in_a_spreadsheet(number, text):
    assert worksheet._format_number(float(number)) == text


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("xl/workbook.bin", "a binary Excel file (.xlsb)"),
        ("content.xml", "LibreOffice"),
        ("Index.zip", "a Numbers file"),
        ("word/document.xml", "a Word document"),
    ],
)
def test_the_files_of_other_programs_are_refused_by_name(part, reason):
    with pytest.raises(Unreadable, match=r"This is .* (Save|Export|Copy)") as refused:
        file_reader.read_file(
            hostile_workbooks.workbook(hostile_workbooks.sheet(hostile_workbooks.A_ROW), **{part: b"x"})
        )
    assert reason in refused.value.reason


def test_a_strict_workbook_is_refused_by_name():
    content = hostile_workbooks.workbook(
        hostile_workbooks.sheet(hostile_workbooks.A_ROW),
        **{"xl/workbook.xml": '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'},
    )
    with pytest.raises(Unreadable, match="Strict Open XML"):
        file_reader.read_file(content)


def test_limits_leave_room_for_what_people_have():
    assert limits.MAX_SHEET_CELLS >= file_reader.MAX_ROWS * 25
    assert limits.MAX_CHARACTERS >= 2 * file_reader.MAX_FILE_BYTES
