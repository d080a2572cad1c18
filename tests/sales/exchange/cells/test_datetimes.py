"""Dates and times as people write them: read as anybody would, or refused with what is expected."""

from zoneinfo import ZoneInfo

import pytest

from sales.exchange.cells import datetimes, parsing
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups(zone=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    "text",
    [
        *("2027-04-03", "2027/4/3", "2027-4-3", "20270403", "3.4.2027", "3 Apr 2027", "Apr 3, 2027"),
        *("April 3rd 2027", "3-Apr-27", "Sat, Apr 3, 2027", "4/3/2027", "4/3/2027 12:00 AM"),
    ],
)
def test_a_date_is_midnight_in_the_companys_time_zone(text):
    assert read_row(["pickup_at"], [text], LOOKUPS) == ({"pickup_at": "2027-04-03T04:00:00+00:00"}, {})


@pytest.mark.parametrize(
    ("text", "in_utc"),
    [
        ("Saturday, April 3, 2027 2:30 PM", "2027-04-03T18:30:00"),
        ("4/3/2027 14:30:15", "2027-04-03T18:30:15"),
        ("4/3/2027, 2:30 PM", "2027-04-03T18:30:00"),
        ("4/3/2027 2:30\u202fPM", "2027-04-03T18:30:00"),
        ("4/3/2027  9:00 am", "2027-04-03T13:00:00"),
        ("4/3/2027 9am", "2027-04-03T13:00:00"),
        ("4/3/2027 9 a.m.", "2027-04-03T13:00:00"),
        ("4/3/2027 12:15 AM", "2027-04-03T04:15:00"),
        ("4/3/2027 12:15 PM", "2027-04-03T16:15:00"),
        ("2027-04-03 1430", "2027-04-03T18:30:00"),
        ("2027-04-03T14:30:00Z", "2027-04-03T14:30:00"),
        ("2027-04-03T14:30:00.000+0000", "2027-04-03T14:30:00"),
        ("2027-04-03 14:30:00 UTC", "2027-04-03T14:30:00"),
        ("2027-04-03 14:30-05:00", "2027-04-03T19:30:00"),
        ("2027-11-07 01:30-05:00", "2027-11-07T06:30:00"),
    ],
)
def test_a_time_without_an_offset_is_on_the_users_clock(text, in_utc):
    assert read_row(["pickup_at"], [text], LOOKUPS) == ({"pickup_at": f"{in_utc}+00:00"}, {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("46113", "spreadsheet's number for a date"),
        ("1803124800", "A date is required"),
        ("0000-00-00", "A date is required"),
        ("TBD", "A date is required"),
        ("8:30", "A date is required"),
        ("13/13/2027", "A date is required"),
        ("Foo 3, 2027", "A date is required"),
        ("2027-02-30", "A date is required"),
        ("12/31/1999", "between 2000 and 2100"),
        ("2027-04-03 24:00", "A time is required"),
        ("2027-04-03 13:00 PM", "A time is required"),
        ("2027-04-03 14:30 EST", "A time is required"),
        ("2027-03-14 02:30", "no such time"),
        ("2027-11-07 01:30", "two such times"),
    ],
)
def test_what_is_not_one_time_is_refused(text, problem):
    values, problems = read_row(["pickup_at"], [text], LOOKUPS)
    assert values == {}
    assert problem in problems["Pickup at"]


def test_a_date_with_a_time_is_refused_where_only_a_date_is_possible():
    _, problems = read_row(["quote_valid_until"], ["2027-04-03 08:30"], LOOKUPS)
    assert problems == {"Quote valid until": "Only a date is possible here. Remove the time."}


@pytest.mark.parametrize(("name", "month"), [("May", 5), ("sept", 9), ("DECEMBER", 12), ("mai", 0), ("", 0)])
def test_months_are_found_by_their_names(name, month):
    assert datetimes.find_month(name) == month
