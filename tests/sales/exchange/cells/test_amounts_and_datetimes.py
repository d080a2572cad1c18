"""Amounts and times as people write them: read as anybody would, or refused with the form that is wanted."""

from zoneinfo import ZoneInfo

import pytest

from sales.exchange.cells import parsing
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups(zone=ZoneInfo("America/New_York"))
AMOUNTS = {
    "$1,200.00": "1200.00", " $ 1,200.00 ": "1200.00", "1200 USD": "1200", "usd 1200": "1200", "US$1,200": "1200",
    "$1,200.00 USD": "1200.00", "$ -": "0", "1,200.5": "1200.5", "1200.555": "1200.56", "1 200": "1200",
    "1'200.50": "1200.50", "0012": "12", "12,345,678": "12345678",
    "1.200,00 €": "in €", "€1,200.00": "in €", "£1,200": "in £", "C$5": "in C$",
    "1200 CAD": "in CAD", "5 chf": "in chf",
    "₹5": "in ₹", "(1,200)": "below zero", "-5": "below zero", "$-5": "below zero", "-$5": "below zero",
    "1.200": "Is this 1200 or 1.20?", "1,20": "such as 1200", "$1.2k": "such as 1200", "1,2000": "such as 1200",
    "12,00,000": "such as 1200", "1e3": "such as 1200", "١٢٠٠": "such as 1200", "1,200.00.": "such as 1200",
    "TBD": "such as 1200", "USD": "such as 1200", "1200/day": "such as 1200",
}  # fmt: skip
TIMES = {
    "2027-04-03": "2027-04-03T04:00", "2027/4/3": "2027-04-03T04:00", "2027-4-3": "2027-04-03T04:00",
    "20270403": "2027-04-03T04:00", "3.4.2027": "2027-04-03T04:00", "3 Apr 2027": "2027-04-03T04:00",
    "Apr 3, 2027": "2027-04-03T04:00", "April 3rd 2027": "2027-04-03T04:00", "3-Apr-27": "2027-04-03T04:00",
    "Sat, Apr 3, 2027": "2027-04-03T04:00", "Saturday, April 3, 2027 2:30 PM": "2027-04-03T18:30",
    "4/3/2027 14:30:15": "2027-04-03T18:30", "4/3/2027, 2:30 PM": "2027-04-03T18:30",
    "4/3/2027 2:30\u202fPM": "2027-04-03T18:30",
    "4/3/2027  9:00 am": "2027-04-03T13:00", "4/3/2027 9am": "2027-04-03T13:00",
    "4/3/2027 9 a.m.": "2027-04-03T13:00",
    "4/3/2027 12:00 AM": "2027-04-03T04:00", "2027-04-03 1430": "2027-04-03T18:30",
    "2027-04-03T14:30:00Z": "2027-04-03T14:30", "2027-04-03T14:30:00.000+0000": "2027-04-03T14:30",
    "2027-04-03 14:30:00 UTC": "2027-04-03T14:30", "2027-04-03 14:30-05:00": "2027-04-03T19:30",
    "46113": "spreadsheet's number for a date", "1803124800": "A date is required", "0000-00-00": "A date is required",
    "TBD": "A date is required", "8:30": "A date is required", "13/13/2027": "A date is required",
    "Foo 3, 2027": "A date is required", "2027-02-30": "A date is required", "12/31/1999": "between 2000 and 2100",
    "2027-04-03 24:00": "A time is required", "2027-04-03 13:00 PM": "A time is required",
    "2027-04-03 14:30 EST": "A time is required",
    "2027-03-14 02:30": "no such time", "2027-11-07 01:30": "two such times",
    "2027-11-07 01:30-05:00": "2027-11-07T06:30",
}  # fmt: skip


@pytest.mark.parametrize("text", AMOUNTS)
def test_amounts(text):
    values, wrong = read_row(["estimated_value"], [text], LOOKUPS)
    expected = AMOUNTS[text]
    if expected[0].isdigit():
        assert (values, wrong) == ({"estimated_value": expected}, {})
    else:
        assert values == {}
        assert expected in wrong["Value"]


@pytest.mark.parametrize("text", TIMES)
def test_times(text):
    values, wrong = read_row(["pickup_at"], [text], LOOKUPS)
    expected = TIMES[text]
    if expected[0].isdigit():
        assert (values.get("pickup_at", "")[:16], wrong) == (expected, {})
    else:
        assert values == {}
        assert expected in wrong["Pickup at"]
