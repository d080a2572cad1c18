"""A number of a workbook means what its cell shows: a currency, a percentage, leading zeros, a date without a time."""

import io
from datetime import date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from sales.exchange import file_reader
from sales.exchange.cells import parsing
from sales.exchange.mapping import map_columns
from sales.exchange.row_reader import read_row
from tests.sales.exchange import hostile_workbooks

LOOKUPS = parsing.Lookups(zone=ZoneInfo("America/Los_Angeles"))
FORMATS = [
    ("Value", 1200, '#,##0.00\\ "€"', "in €"),
    ("Value", 1200, "[$€-407]\\ #,##0.00", "in €"),
    ("Value", 1200, "[$£-809]#,##0.00;[Red]-[$£-809]#,##0.00", "in £"),
    ("Value", 1200, "#,##0.00\\ [$kr-41D]", "in kr"),
    ("Value", 1200, "[$CAD]\\ #,##0.00", "in CAD"),
    ("Value", 1200, '"EUR" #,##0', "in EUR"),
    ("Value", 1200, '"$"#,##0.00', "1200"),
    ("Value", 1200, "[$$-409]#,##0.00", "1200"),
    ("Value", 1200, "[$USD]\\ #,##0.00", "1200"),
    ("Value", 1200.5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)', "1200.5"),
    ("Value", 0.5, "0%", "An amount is required"),
    ("Passengers", 0.45, "0.00%", "A whole number is required."),
    ("Passengers", 45, '0" pax"', 45),
    ("Passengers", 45, '0"%"', 45),
    ("Notes", 0.5, "0%", "50%"),
    ("Notes", 2139, "00000", "02139"),
    ("Notes", 1200, "[$€-407]\\ #,##0.00", "1200 €"),
    ("Phone", 7911123456, "00000000000", "07911123456"),
    ("Phone", 6175550142, "[<=9999999]###-####;(###) ###-####", "6175550142"),
    ("Notes", date(2027, 5, 1), "m/d/yyyy", "2027-05-01"),
    ("Notes", datetime(2027, 5, 1, 8, 30), "m/d/yyyy", "2027-05-01 08:30:00"),
    ("Quote valid until", date(2027, 5, 1), "[$-F800]dddd, mmmm dd, yyyy", "2027-05-01"),
    ("Pickup at", date(2027, 5, 1), "d-mmm-yy", "2027-05-01T04:00:00+00:00"),  # the company's day, in New York
    ("Pickup at", datetime(2027, 5, 1), "m/d/yyyy h:mm", "2027-05-01T07:00:00+00:00"),
]


@pytest.mark.parametrize(("header", "value", "number_format", "expected"), FORMATS)
def test_a_number_is_read_as_its_cell_shows_it(header, value, number_format, expected):
    book = openpyxl.Workbook()
    book.active.append(["Company", header])
    book.active.append(["Acme", value])
    book.active["B2"].number_format = number_format
    file = io.BytesIO()
    book.save(file)
    sheet = file_reader.read_file(file.getvalue())
    columns = map_columns(sheet.header)
    ((_, row),) = sheet.rows
    values, problems = read_row(columns, row, LOOKUPS)
    if problems:
        assert str(expected) in problems[header]
    else:
        assert values[columns[1]] == expected


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A2" t="b"><v>true</v></c>', "yes"),
        ('<c r="A2" t="b"><v>0</v></c>', "no"),
        (hostile_workbooks.text_cell("A2", "a_x005F_x000D_b"), "a_x000D_b"),
        (hostile_workbooks.text_cell("A2", "a_xD800_b"), "a_xD800_b"),
    ],
)
def test_booleans_and_escaped_characters_are_read(cell, text):
    sheet = file_reader.read_file(hostile_workbooks.workbook(hostile_workbooks.sheet(f'<row r="2">{cell}</row>')))
    assert list(sheet.rows) == [(2, [text])]
