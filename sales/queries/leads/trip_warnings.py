"""What is worth a second look about a trip: warnings for whoever quotes it, never refusals."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from django.utils import timezone

from sales import schedule
from sales.models import Lead

# Passengers that one vehicle takes, at most: a 45-foot motorcoach seats 56 (Federal Transit Administration and makers
# alike), a minibus up to 35, a large school bus 48 adults (72 children by the maker's plate, two adults to a seat of
# three), a van 14 and its driver (49 CFR 390.5 begins to speak of buses beyond 15 with the driver).
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
    """The warnings about a trip, whose values are a lead's by name. Closed leads have none."""
    if trip.get("status", Lead.Status.NEW) in (Lead.Status.WON, Lead.Status.LOST):
        return []
    now = now or timezone.now()
    return [warned for check in CHECKS for warned in check(trip, now)]


def too_many_passengers(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """More passengers than seats: `CAPACITY` × vehicles (one, where nobody said how many)."""
    seats, people = CAPACITY.get(trip.get("vehicle_type") or ""), trip.get("estimated_passengers")
    if seats is None or not people:
        return
    vehicles = trip.get("vehicles_needed") or 1
    if people > seats * vehicles:
        needed = ceil(people / seats)
        kind = Lead.VehicleType(trip["vehicle_type"]).label.lower()
        yield TripWarning(
            "too_many_passengers",
            f"{people} passengers, and {seats * vehicles} seats (one {kind} takes {seats}): {needed} are needed.",
        )


def second_driver_likely(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """One driver may not be enough for a trip that is driven in one go.

    49 CFR 395.5 (passenger-carrying drivers): no driving beyond 10 hours following 8 consecutive hours off duty, and
    none after having been on duty 15 hours. From pickup to return without a night between them the driver is on duty
    all the time: more than 15 hours is too long. One way, all of it may be driving: more than 10 is. A trip of
    15 + 8 hours or more can hold the 8 hours off, so only a one-way one, driven through, is spoken of there.
    """
    pickup, back = trip.get("pickup_at"), trip.get("return_at")
    if pickup is None or back is None:
        return
    lasts, one_way = back - pickup, trip.get("trip_type") == Lead.TripType.ONE_WAY
    hours = f"{lasts / timedelta(hours=1):.0f} hours"
    if one_way and lasts > MAX_DRIVING:
        yield TripWarning(
            "second_driver", f"{hours} one way: a driver may drive 10 (49 CFR 395.5). Plan a second driver."
        )
    elif MAX_ON_DUTY < lasts < MAX_ON_DUTY + MIN_OFF_DUTY:
        yield TripWarning(
            "second_driver",
            f"{hours} from pickup to return: a driver may be on duty 15 (49 CFR 395.5). Plan a second driver.",
        )


def short_notice(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """The pickup is within 48 hours, and not yet over."""
    pickup = trip.get("pickup_at")
    if pickup is not None and now <= pickup <= now + SHORT_NOTICE:
        yield TripWarning("short_notice", "The pickup is within 48 hours: is a vehicle free, and a driver?")


def peak_weekend(trip: Mapping[str, Any], now: datetime) -> Iterator[TripWarning]:
    """A pickup on a Friday, Saturday or Sunday of April to June or September and October, by the company's calendar.

    Those are the months of school trips, weddings and fall foliage, when charter companies sell out their weekends; a
    convention of ours, without a formula elsewhere. A trip that is over is not spoken of.
    """
    pickup = trip.get("pickup_at")
    if pickup is None or pickup < now:
        return
    day: date = pickup.astimezone(schedule.company_zone()).date()
    if day.month in PEAK_MONTHS and day.weekday() >= 4:
        yield TripWarning("peak_weekend", f"{day:%A}, {day.day} {day:%B} is a peak weekend: vehicles are scarce.")


CHECKS: tuple[Callable[[Mapping[str, Any], datetime], Iterator[TripWarning]], ...] = (
    too_many_passengers,
    second_driver_likely,
    short_notice,
    peak_weekend,
)
