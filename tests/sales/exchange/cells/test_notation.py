"""Each column is read in one notation, or its ambiguous cells not at all."""

from zoneinfo import ZoneInfo

import pytest

from sales.exchange.cells import parsing
from sales.exchange.cells.notation import NotationDetector
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups(zone=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("kind", "cells", "notation"),
    [
        ("date", ["03/04/2027", "12/04/2027", "13/04/2027"], ""),
        ("date", ["03/04/2027", "12/04/2027"], ""),
        ("date", ["03/04/2027", "04/13/2027"], "month"),
        ("date", ["13/04/2027", "04/13/2027"], ""),
        ("date", ["3-4-27 2:30 PM", "Sat 4/13/2027"], "month"),
        ("date", ["2027-04-03", "3 Apr 2027", "03/03/2027", "3.4.2027"], None),
        ("amount", ["1.234,56", "12"], ""),
        ("amount", ["1.200", "3.400"], ""),
        ("amount", ["1.234,56", "1,200.00"], "point"),
        ("amount", ["1,200", "1,234.56", "12"], None),
        ("amount", ["1\xa0200,50"], ""),
    ],
)
def test_the_notation_of_a_column_is_settled_by_its_cells_or_undecided(kind, cells, notation):
    detector = NotationDetector(kind)
    for cell in cells:
        detector.add_cell(cell)
    assert detector.notation == notation


@pytest.mark.parametrize(
    ("column", "notation", "text", "value"),
    [
        ("pickup_at", "day", "03/04/2027", "2027-04-03T04:00:00+00:00"),
        ("pickup_at", "month", "03/04/2027", "2027-03-04T05:00:00+00:00"),
        ("quote_valid_until", "day", "3-4-27", "2027-04-03"),
        ("estimated_value", "comma", "1.234,56", "1234.56"),
        ("estimated_value", "comma", "1.200", "1200"),
        ("estimated_value", "point", "1,200", "1200"),
        ("estimated_value", "comma", "1,200", None),
        ("estimated_value", "point", "1.200", None),
        ("estimated_value", "", "1,200", None),
        ("estimated_value", "", "1200", "1200"),
        ("pickup_at", "", "03/04/2027", None),
        ("pickup_at", "", "2027-04-03", "2027-04-03T04:00:00+00:00"),
    ],
)
def test_cells_are_read_in_the_notation_of_their_column(column, notation, text, value):
    lookups = parsing.Lookups(zone=LOOKUPS.zone, notations={column: notation})
    values, problems = read_row([column], [text], lookups)
    assert values.get(column) == value
    assert bool(problems) is (value is None)
