"""Reading a row: names are joined, amounts are in one currency, and nothing is lost or takes long."""

import itertools
import time

import pytest

from athena.limits import MAX_TEXT_LENGTH
from sales.exchange.cells import parsing
from sales.exchange.columns import COLUMNS, EXTRA_NOTES
from sales.exchange.mapping import map_columns
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups()


def test_names_are_joined_and_nothing_is_lost():
    header = ["First Name", "Last Name", "Company", "Mobile Phone", "Home Phone", "E-mail 2 Address"]
    row = ["Oz", "Eve", "Eve Club", "617-555-0149", "617-555-0150", "oz2@eve.example"]
    values, problems = read_row(map_columns(header), row, LOOKUPS, header)
    assert problems == {}
    assert values == {
        "company_name": "Eve Club",
        "contact_name": "Oz Eve",
        "phone": "617-555-0149",
        "email": "oz2@eve.example",
        EXTRA_NOTES: ["Home Phone: 617-555-0150"],
    }


def test_notes_with_extra_lines_may_be_as_long_as_notes_and_no_longer():
    header = ["Company", "Phone", "Mobile", "Notes"]
    line = "Mobile: 617-555-0102"
    longest = "x" * (MAX_TEXT_LENGTH - len(line) - 1)
    for notes, expected in ((longest, {}), (f"{longest}x", {"Notes"})):
        row = ["A", "617-555-0101", "617-555-0102", notes]
        _, problems = read_row(map_columns(header), row, LOOKUPS, header)
        assert problems.keys() == set(expected)


CURRENCY_HEADERS = ["Currency", "Deal - Currency of Value", "Lead Currency", "CurrencyIsoCode"]


@pytest.mark.parametrize("name", ["USD", "usd", "$", ""])
@pytest.mark.parametrize("currency_header", CURRENCY_HEADERS)
def test_amounts_in_the_companys_currency_are_read(currency_header, name):
    header = ["Company", "Value", "Quote", currency_header]
    values, problems = read_row(map_columns(header), ["Acme", "1200", "", name], LOOKUPS, header)
    assert problems == {}
    assert values["estimated_value"] == "1200"


@pytest.mark.parametrize("name", ["EUR", "€", "Canadian Dollar"])
@pytest.mark.parametrize("currency_header", CURRENCY_HEADERS)
def test_amounts_in_the_currency_of_another_column_are_refused(currency_header, name):
    header = ["Company", "Value", "Quote", currency_header]
    values, problems = read_row(map_columns(header), ["Acme", "1200", "", name], LOOKUPS, header)
    assert values == {"company_name": "Acme"}
    assert list(problems) == ["Value"]
    assert f"the column {currency_header} says {name}" in problems["Value"]


PIECES = (
    "a",
    "1",
    "a.",
    " ",
    "a ",
    "a@",
    "@",
    "<",
    '"',
    "a@x.example,",
    "a@x.example b ",
    "x<",
    "1 ",
    "1,",
    "$",
    "\n",
    "a\n",
    "or ",
    "\u00a0a",
    "-",
    "Ann <a@x.example>, ",
    "1/",
)


@pytest.mark.parametrize("piece", PIECES)
def test_the_time_for_a_cell_does_not_grow_with_the_square_of_its_length(piece):
    """Rows are checked while others wait for the database."""
    for column, length, end in itertools.product(COLUMNS, (290, 1_990, 32_760), ("!", "@", "x")):
        limit = 0.03 if length < 300 else 0.5
        for text in ((piece * length)[:length] + end, "1" + (piece * length)[:length] + end):
            attempts = (measure_seconds(column.name, text) for _ in range(3))  # the first may load something
            assert any(seconds < limit for seconds in attempts), (column.name, length)


def measure_seconds(name, text):
    started = time.process_time()
    read_row([name], [text], LOOKUPS)
    return time.process_time() - started
