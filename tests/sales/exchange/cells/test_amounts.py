"""Amounts as people write them: read as anybody would, or refused with what is expected."""

import pytest

from sales.exchange.cells import parsing
from sales.exchange.row_reader import read_row


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("$1,200.00", "1200.00"),
        (" $ 1,200.00 ", "1200.00"),
        ("1200 USD", "1200"),
        ("usd 1200", "1200"),
        ("US$1,200", "1200"),
        ("$1,200.00 USD", "1200.00"),
        ("$ -", "0"),
        ("1,200.5", "1200.5"),
        ("1200.555", "1200.56"),
        ("1 200", "1200"),
        ("1'200.50", "1200.50"),
        ("0012", "12"),
        ("12,345,678", "12345678"),
    ],
)
def test_amounts_are_read(text, amount):
    assert read_row(["estimated_value"], [text], parsing.Lookups()) == ({"estimated_value": amount}, {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.200,00 €", "in €"),
        ("€1,200.00", "in €"),
        ("£1,200", "in £"),
        ("C$5", "in C$"),
        ("1200 CAD", "in CAD"),
        ("5 chf", "in chf"),
        ("₹5", "in ₹"),
        ("(1,200)", "below zero"),
        ("-5", "below zero"),
        ("$-5", "below zero"),
        ("-$5", "below zero"),
        ("1.200", "Is this 1200 or 1.20?"),
        ("1,20", "such as 1200"),
        ("$1.2k", "such as 1200"),
        ("1,2000", "such as 1200"),
        ("12,00,000", "such as 1200"),
        ("1e3", "such as 1200"),
        ("١٢٠٠", "such as 1200"),
        ("1,200.00.", "such as 1200"),
        ("TBD", "such as 1200"),
        ("USD", "such as 1200"),
        ("1200/day", "such as 1200"),
        ("10,000,000,000", "At most 9,999,999,999.99 is possible."),
    ],
)
def test_what_is_not_an_amount_in_dollars_is_refused(text, problem):
    values, problems = read_row(["estimated_value"], [text], parsing.Lookups())
    assert values == {}
    assert problem in problems["Value"]
