"""Cells with several email addresses or phone numbers."""

import pytest

from sales.exchange.cells import parsing
from sales.exchange.columns import BY_NAME, EXTRA_NOTES
from sales.exchange.row_reader import read_row


@pytest.mark.parametrize(
    ("column", "text", "first", "others"),
    [
        ("email", "a@x.example; b@x.example", "a@x.example", ["b@x.example"]),
        ("email", "a@x.example, b@x.example c@x.example", "a@x.example", ["b@x.example", "c@x.example"]),
        ("email", "Ann <a@x.example>, Bob <b@x.example>", "a@x.example", ["b@x.example"]),
        ("email", "a@x.example or A@x.example", "a@x.example", []),
        ("phone", "617-555-0158\n617-555-0159", "617-555-0158", ["617-555-0159"]),
        ("phone", "617-555-0158 / (617) 555-0159", "617-555-0158", ["(617) 555-0159"]),
        ("phone", "617-555-0158 or 617-555-0159", "617-555-0158", ["617-555-0159"]),
        ("phone", "+1 617-555-0158 ::: +1 617-555-0159", "+1 617-555-0158", ["+1 617-555-0159"]),
        ("email", "a@x.example ::: b@x.example", "a@x.example", ["b@x.example"]),
        ("phone", "(617) 555-0158, ext. 5", "(617) 555-0158, ext. 5", []),
        ("phone", "617/555-0158", "617/555-0158", []),
    ],
)
def test_the_first_of_several_contacts_is_taken_and_the_others_are_kept(column, text, first, others):
    values, problems = read_row([column], [text], parsing.Lookups())
    label = BY_NAME[column].label
    assert problems == {}
    assert values[column] == first
    assert values.get(EXTRA_NOTES, []) == [f"{label}: {other}" for other in others]


@pytest.mark.parametrize("text", ["mary jane@x.example", "pat@@x.example", "a@x.example b", "nobody"])
def test_an_email_address_is_not_guessed(text):
    values, problems = read_row(["email"], [text], parsing.Lookups())
    assert values == {}
    assert list(problems) == ["Email"]
