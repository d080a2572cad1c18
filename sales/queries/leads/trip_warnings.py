"""Warnings about a trip for the person who quotes it. They never refuse anything."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from django.utils import timezone

from athena.formatting import format_date
from sales import schedule
from sales.models import Lead

# The most passengers that one vehicle takes. A 45-foot motorcoach seats 56 (Federal Transit Administration and
# manufacturers), a minibus up to 35, a large school bus 48 adults (72 children by the manufacturer; two adults share a
# seat for three children), a van 14 besides the driver (49 CFR 390.5 calls a vehicle for more than 15 people a bus).
CAPACITY = {
    Lead.VehicleType.MOTORCOACH.value: 56,
    Lead.VehicleType.MINIBUS.value: 35,
    Lead.VehicleType.SCHOOL_BUS.value: 48,
    Lead.VehicleType.VAN.value: 14,
}
MAX_DRIVING, MAX_ON_DUTY, MIN_OFF_DUTY = timedelta(hours=10), timedelta(hours=15), timedelta(hours=8)  # 49 CFR 395.5
SHORT_NOTICE = timedelta(hours=48)
PEAK_MONTHS = (4, 5, 6, 9, 10)


@dataclass(frozen=True)
class TripWarning:
    """A stable `code` for programs, a sentence for people."""

    code: str
    text: str


def list_warnings(trip: Mapping[str, Any], now: datetime | None = None) -> list[TripWarning]:
    """The warnings about a trip. `trip` maps fields of a lead to values; a closed lead has no warnings."""
    if trip.get("status", Lead.Status.NEW) in (Lead.Status.WON, Lead.Status.LOST):
        return []
    now = now or timezone.now()
    return [warning for check in CHECKS for warning in check(trip, now)]


def too_many_passengers(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """More passengers than seats, which are `CAPACITY` × vehicles (one if the number is unknown)."""
    seats, people = CAPACITY.get(trip.get("vehicle_type") or ""), trip.get("estimated_passengers")
    if seats is None or not people:
        return
    vehicles = trip.get("vehicles_needed") or 1
    if people > seats * vehicles:
        needed = ceil(people / seats)
        kind = Lead.VehicleType(trip["vehicle_type"]).label.lower()
        yield TripWarning(
            "too_many_passengers",
            f"{people} passengers, but {seats * vehicles} seats (one {kind} seats {seats}): plan {needed} vehicles.",
        )


def second_driver_likely(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """One driver may not be enough for a trip without a night's rest.

    49 CFR 395.5 (passenger-carrying drivers): at most 10 hours of driving after 8 consecutive hours off duty, and no
    driving after 15 hours on duty. A round trip keeps the driver on duty from pickup to return, so more than 15 hours
    are too long. A one-way trip may be driving all the time, so more than 10 hours are too long. A round trip of 15 + 8
    hours or more has room for the 8 hours off duty.
    """
    pickup, return_at = trip.get("pickup_at"), trip.get("return_at")
    if pickup is None or return_at is None:
        return
    duration, is_one_way = return_at - pickup, trip.get("trip_type") == Lead.TripType.ONE_WAY
    hours = f"{duration / timedelta(hours=1):.0f} hours"
    if is_one_way and duration > MAX_DRIVING:
        yield TripWarning(
            "second_driver", f"{hours} one way: a driver may drive for 10 hours (49 CFR 395.5). Plan a second driver."
        )
    elif MAX_ON_DUTY < duration < MAX_ON_DUTY + MIN_OFF_DUTY:
        yield TripWarning(
            "second_driver",
            f"{hours} from pickup to return: a driver may be on duty for 15 (49 CFR 395.5). Plan a second driver.",
        )


def short_notice(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """The pickup is in the next 48 hours."""
    pickup = trip.get("pickup_at")
    if pickup is not None and now <= pickup <= now + SHORT_NOTICE:
        yield TripWarning("short_notice", "The pickup is within 48 hours: check that a vehicle and a driver are free.")


def peak_weekend(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """A future pickup on a Friday, Saturday or Sunday of a peak month, in the company's time zone.

    In April to June, September and October, school trips, weddings and fall foliage sell out the weekends of charter
    companies. This is a convention of ours, not a published rule.
    """
    pickup = trip.get("pickup_at")
    if pickup is None or pickup < now:
        return
    day: date = pickup.astimezone(schedule.company_zone()).date()
    if day.month in PEAK_MONTHS and day.weekday() >= 4:
        yield TripWarning("peak_weekend", f"{format_date(day)} is on a peak weekend: vehicles are scarce.")


CHECKS: tuple[Callable[[Mapping[str, Any], datetime], Iterator[TripWarning]], ...] = (
    too_many_passengers,
    second_driver_likely,
    short_notice,
    peak_weekend,
)
