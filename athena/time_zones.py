"""Time zones by name: every name of a person's or the company's zone becomes a `ZoneInfo` here and nowhere else.

The names are those of the `tzdata` package, so that every machine takes the same ones: `localtime`, `posixrules` and
`right/…`, which some systems have besides, mean something else on the next machine.
"""

from datetime import datetime, timedelta
from datetime import timezone as fixed_offset
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)

_NO_PLACE = {"Factory"}  # what tzdata calls a clock that was never set
_reported: set[str] = set()


@cache
def list_names() -> frozenset[str]:
    """Every time zone that a person or the company may have."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(text.split()) - _NO_PLACE


def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.COMPANY_TIME_ZONE)


def find_zone(name: str) -> ZoneInfo:
    """The zone of this name; the company's for a name that is no zone (plain SQL can write one), logged once."""
    if name in list_names():
        return ZoneInfo(name)
    if name not in _reported:
        _reported.add(name)
        logger.error("unknown_time_zone", time_zone=name, used_instead=settings.COMPANY_TIME_ZONE)
    return company_zone()


def list_offsets(zone: ZoneInfo, first: datetime, last: datetime) -> list[tuple[datetime, fixed_offset]]:
    """The offsets from UTC that a zone has from `first` to `last`: each with the instant before which it holds.

    For SQL, which is given offsets and no names: PostgreSQL has a list of zones of its own.
    """
    found: list[tuple[datetime, fixed_offset]] = []
    begin = first
    while begin <= last:
        end = begin + timedelta(days=1)
        if _offset(zone, begin) != _offset(zone, end):
            end = _change(zone, begin, end)
            found.append((end, _offset(zone, begin)))
        begin = end
    return [*found, (begin + timedelta(days=1), _offset(zone, begin))]


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first instant between these two, to the second, at which the offset is no longer that of `before`."""
    was = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == was else (before, middle)
    return after.replace(microsecond=0)


def _offset(zone: ZoneInfo, at: datetime) -> fixed_offset:
    return fixed_offset(at.astimezone(zone).utcoffset() or timedelta())
