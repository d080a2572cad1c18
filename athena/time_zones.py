"""Time zones: the only place where the name of a user's or the company's zone becomes a `ZoneInfo`.

Only the names in the `tzdata` package are valid, so that all machines accept the same ones. Other names that some
systems have (`localtime`, `posixrules`, `right/…`) mean something else on another machine.
"""

from datetime import datetime, timedelta
from datetime import timezone as fixed_offset
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)

_NOT_A_ZONE = {"Factory"}  # tzdata's name for a clock that was never set
_reported: set[str] = set()


@cache
def list_names() -> frozenset[str]:
    """The names of all time zones that a user or the company may have."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(text.split()) - _NOT_A_ZONE


def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.COMPANY_TIME_ZONE)


def find_zone(name: str) -> ZoneInfo:
    """The zone with this name; for an invalid name (plain SQL can write one) the company's zone, logged once."""
    if name in list_names():
        return ZoneInfo(name)
    if name not in _reported:
        _reported.add(name)
        logger.error("unknown_time_zone", time_zone=name, used_instead=settings.COMPANY_TIME_ZONE)
    return company_zone()


def list_offsets(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, fixed_offset]]:
    """The UTC offsets of a zone from `first` to `last`, each with the datetime until which it applies.

    SQL gets offsets instead of zone names, since PostgreSQL has its own list of zones.
    """
    offsets: list[tuple[datetime, fixed_offset]] = []
    start = first
    while start <= last:
        end = start + timedelta(days=1)
        if _offset(zone, start) != _offset(zone, end):
            end = _find_change(zone, start, end)
            offsets.append((end, _offset(zone, start)))
        start = end
    return [*offsets, (start + timedelta(days=1), _offset(zone, start))]


def _find_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first datetime between these two, to the second, at which the offset differs from that at `before`."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after.replace(microsecond=0)


def _offset(zone: ZoneInfo, at: datetime) -> fixed_offset:
    return fixed_offset(at.astimezone(zone).utcoffset() or timedelta())
