"""Warnings about a trip, and the limits at which they begin."""

from datetime import UTC, datetime, timedelta

import pytest

from sales.queries.leads import trip_warnings

NOW = datetime(2027, 1, 5, 12, tzinfo=UTC)  # a Tuesday
PICKUP = datetime(2027, 2, 2, 13, tzinfo=UTC)


def list_codes(**trip):
    return [warning.code for warning in trip_warnings.list_warnings(trip, NOW)]


@pytest.mark.parametrize(
    ("vehicle_type", "vehicles", "passengers", "is_warned"),
    [
        ("motorcoach", 1, 56, False),
        ("motorcoach", 1, 57, True),
        ("motorcoach", None, 57, True),
        ("motorcoach", 0, 57, True),
        ("motorcoach", 2, 112, False),
        ("motorcoach", 2, 113, True),
        ("minibus", 1, 35, False),
        ("minibus", 1, 36, True),
        ("school_bus", 1, 48, False),
        ("school_bus", 1, 49, True),
        ("van", 3, 42, False),
        ("van", 3, 43, True),
        ("other", 1, 1000, False),
        ("", 1, 1000, False),
        ("van", 1, None, False),
        ("van", 1, 0, False),
    ],
)
def test_too_many_passengers(vehicle_type, vehicles, passengers, is_warned):
    trip = {"vehicle_type": vehicle_type, "vehicles_needed": vehicles, "estimated_passengers": passengers}
    assert list_codes(**trip) == ["too_many_passengers"] * is_warned


def test_the_warning_names_the_number_of_vehicles_needed():
    trip = {"vehicle_type": "motorcoach", "vehicles_needed": 1, "estimated_passengers": 120}
    (warning,) = trip_warnings.list_warnings(trip, NOW)
    assert warning.text == "120 passengers, but 56 seats (one motorcoach seats 56): plan 3 vehicles."


@pytest.mark.parametrize(
    ("trip_type", "hours", "is_warned"),
    [
        ("one_way", 10, False),
        ("one_way", 10.5, True),
        ("one_way", 30, True),
        ("round_trip", 15, False),
        ("round_trip", 15.5, True),
        ("round_trip", 22.5, True),
        ("round_trip", 23, False),
        ("", 16, True),
        ("multi_day", 72, False),
    ],
)
def test_a_long_trip_needs_a_second_driver(trip_type, hours, is_warned):
    trip = {"trip_type": trip_type, "pickup_at": PICKUP, "return_at": PICKUP + timedelta(hours=hours)}
    assert list_codes(**trip) == ["second_driver"] * is_warned


@pytest.mark.parametrize(("hours", "is_warned"), [(-1, False), (0, True), (48, True), (48.1, False)])
def test_short_notice(hours, is_warned):
    assert list_codes(pickup_at=NOW + timedelta(hours=hours)) == ["short_notice"] * is_warned


@pytest.mark.parametrize(
    ("pickup", "is_warned"),
    [
        ("2027-05-07T12:00Z", True),
        ("2027-05-09T12:00Z", True),
        ("2027-05-10T12:00Z", False),
        ("2027-05-10T02:00Z", True),  # still Sunday in the company's time zone
        ("2027-05-07T02:00Z", False),
        ("2027-07-09T12:00Z", False),
        ("2027-10-15T12:00Z", True),
        ("2026-05-08T12:00Z", False),
    ],
)
def test_peak_weekends(pickup, is_warned):
    assert list_codes(pickup_at=datetime.fromisoformat(pickup)) == ["peak_weekend"] * is_warned


def test_a_closed_lead_has_no_warnings():
    trip = {"vehicle_type": "van", "estimated_passengers": 100, "pickup_at": NOW}
    assert list_codes(status="quoted", **trip) == ["too_many_passengers", "short_notice"]
    assert list_codes(status="won", **trip) == []
    assert list_codes(status="lost", **trip) == []
