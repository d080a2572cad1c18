"""Cells as people write them."""

from zoneinfo import ZoneInfo

import pytest

from sales.exchange.cells import parsing
from sales.exchange.columns import BY_NAME
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups(
    zone=ZoneInfo("America/New_York"), sources={"ads": 7}, lost_reasons={"too dear": "price"}, owners={"a@b.example": 3}
)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("estimated_passengers", "1,200", 1200),
        ("estimated_passengers", "45.0", 45),
        ("estimated_value", "$1,200.50", "1200.50"),
        ("is_repeat", "Yes", True),
        ("is_repeat", "0", False),
        ("status", "QUOTED", "quoted"),
        ("trip_type", "Multi-day tour", "multi_day"),
        ("trip_type", "multi day", "multi_day"),
        ("source", "Ads", 7),
        ("owner", "A@B.example", 3),
        ("lost_reason", "Too dear", "price"),
        ("quote_valid_until", "5/1/2026", "2026-05-01"),
        ("quote_valid_until", "1.5.2026", "2026-05-01"),
        ("quote_valid_until", "2026-05-01 00:00:00", "2026-05-01"),
        ("pickup_at", "2026-05-01", "2026-05-01T04:00:00+00:00"),
        ("pickup_at", "2026-05-01 08:30", "2026-05-01T12:30:00+00:00"),
        ("pickup_at", "5/1/2026 8:30 pm", "2026-05-02T00:30:00+00:00"),
        ("pickup_at", "2026-05-01T08:30:00+02:00", "2026-05-01T06:30:00+00:00"),
        ("phone", "'+12125550100", "+12125550100"),
        ("company_name", "  A  ", "A"),
    ],
)
def test_cells_are_read_as_people_write_them(column, text, value):
    assert read_row([column], [text], LOOKUPS) == ({column: value}, {})


@pytest.mark.parametrize(
    ("column", "text", "problem"),
    [
        ("estimated_passengers", "12.5", "A whole number is required."),
        ("estimated_passengers", "-1", "A whole number is required."),
        ("estimated_passengers", "１２", "A whole number is required."),
        ("estimated_passengers", "100001", "At most 100,000 is possible."),
        ("estimated_value", "NaN", "An amount is required, such as 1200 or 1,200.50."),
        ("estimated_value", "1e5", "An amount is required, such as 1200 or 1,200.50."),
        ("estimated_value", "1.200,50", "An amount is required, such as 1200 or 1,200.50."),
        ("estimated_value", "99999999999", "At most 9,999,999,999.99 is possible."),
        ("is_repeat", "perhaps", "Write yes or no."),
        ("vehicle_type", "ship", "Choose one of: Motorcoach, Minibus, School bus, Van, Other."),
        ("owner", "who@b.example", "No active user has this email address."),
        ("pickup_at", "1999-12-31", "The year must be between 2000 and 2100."),
        ("pickup_at", "2026-05-01 25:00", "A time is required, such as 14:30 or 2:30 PM."),
        ("pickup_at", "31/12/2026", "A date is required, such as 2026-05-01 or 5/1/2026."),
        ("company_name", "A" * 201, "Ensure this field has no more than 200 characters."),
        ("notes", "=SUM(A1)", "This is a formula. Paste its value instead."),
        ("notes", "#REF!", "This is a formula's error. Type the value instead."),
    ],
)
def test_other_cells_are_refused(column, text, problem):
    assert read_row([column], [text], LOOKUPS) == ({}, {BY_NAME[column].label: problem})


@pytest.mark.parametrize("text", ["1.000", "45.000"])
def test_a_count_that_may_be_a_thousand_times_as_much_is_refused(text):
    assert read_row(["estimated_passengers"], [text], LOOKUPS) == ({}, {"Passengers": "A whole number is required."})


def test_a_row_longer_than_the_header_is_wrong():
    values, problems = read_row(["company_name"], ["A", "B"], LOOKUPS)
    assert values == {"company_name": "A"}
    assert problems == {"Line": "It has more cells than the header."}
