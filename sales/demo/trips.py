"""Turns a kind of trip into one trip: dates, vehicles and a price."""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sales.demo.places import Client
from sales.demo.trip_kinds import TripKind
from sales.models import Lead
from sales.schedule import company_zone

TripType, VehicleType = Lead.TripType, Lead.VehicleType
SEATS = {VehicleType.MOTORCOACH: 56, VehicleType.SCHOOL_BUS: 48, VehicleType.MINIBUS: 28, VehicleType.VAN: 13}
DAY_RATE = {
    VehicleType.MOTORCOACH: 1850,
    VehicleType.SCHOOL_BUS: 880,
    VehicleType.MINIBUS: 1180,
    VehicleType.VAN: 620,
}
ONE_WAY_SHARE = 0.6  # of a day rate


def build_trip(
    rng: Random, kind: TripKind, client: Client, asked_on: date, days_ahead: int | None = None
) -> dict[str, Any]:
    """The fields of a lead that describe its trip, for an inquiry on `asked_on`."""
    passengers = rng.randint(*kind.passengers)
    vehicle = _pick_vehicle(rng, kind, passengers)
    vehicles = math.ceil(passengers / SEATS[vehicle])
    if kind.trip_type == TripType.SHUTTLE:
        vehicles = math.ceil(vehicles / 2)  # each vehicle runs twice
    days = rng.randint(*kind.trip_days)
    day = _find_date(kind, asked_on + timedelta(days=days_ahead or rng.randint(*kind.days_ahead)))
    pickup = datetime.combine(day, time(kind.start_hour, rng.choice((0, 15, 30, 45))), company_zone())
    one_way = kind.trip_type == TripType.ONE_WAY
    leaves_from = client.address if not client.company or client.town in client.company else ""
    return {
        "trip_type": TripType.ROUND_TRIP if kind.trip_type == TripType.MULTI_DAY and days == 1 else kind.trip_type,
        "pickup_at": pickup,
        "return_at": None if one_way else pickup + timedelta(days=days - 1, hours=kind.last_day_hours),
        "pickup_location": leaves_from or f"{client.company}, {client.address}",
        "dropoff_location": rng.choice(kind.destinations),
        "estimated_passengers": passengers,
        "vehicle_type": vehicle,
        "vehicles_needed": vehicles,
        "accessible_seats": rng.choice((None, None, None, 1, 2)),
        "estimated_value": _pick_price(rng, vehicle, vehicles, days, one_way),
        "notes": rng.choice(kind.notes) if rng.random() < 0.6 else "",
        "itinerary": _write_itinerary(days) if days > 1 else "",
    }


def _pick_vehicle(rng: Random, kind: TripKind, passengers: int) -> Lead.VehicleType:
    if kind.vehicle == VehicleType.MOTORCOACH and passengers <= SEATS[VehicleType.MINIBUS]:
        return VehicleType.MINIBUS
    if kind.vehicle == VehicleType.VAN and passengers > SEATS[VehicleType.VAN]:
        return VehicleType.MINIBUS
    if kind.vehicle == VehicleType.SCHOOL_BUS and rng.random() < 0.15:
        return VehicleType.MOTORCOACH
    return kind.vehicle


def _find_date(kind: TripKind, earliest: date) -> date:
    """The first day from `earliest` that is in a month and on a weekday of such trips."""
    day = earliest
    while day.month not in kind.months or day.weekday() not in kind.weekdays:
        day += timedelta(days=1)
    return day


def _pick_price(rng: Random, vehicle: Lead.VehicleType, vehicles: int, days: int, one_way: bool) -> Decimal:
    share = ONE_WAY_SHARE if one_way else 1
    return Decimal(round(DAY_RATE[vehicle] * vehicles * days * share * rng.uniform(0.85, 1.2) / 10) * 10)


def _write_itinerary(days: int) -> str:
    middle = [f"Day {n}: at the group's disposal, ten hours at most." for n in range(2, days)]
    return "\n".join(["Day 1: outward journey, check-in in the afternoon.", *middle, f"Day {days}: return journey."])
