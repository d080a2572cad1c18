"""Days and times as people write them into cells."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from athena.api import fields
from sales import schedule
from sales.exchange.cells import notation, parsing

_EXAMPLE = "1/5/2026" if notation.HOUSE_DATES == notation.DAY else "5/1/2026"
_DATE_WANTED = f"A date is required, such as 2026-05-01 or {_EXAMPLE}."
_TIME_WANTED = "A time is required, such as 14:30 or 2:30 PM."
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)|(\d{4})(\d{2})(\d{2})(?!\d)")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})(?!\d)")
_DAY_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4}|\d{2})(?!\d)", re.IGNORECASE)
_MONTH_NAMED = re.compile(r"([a-z]{3,9})\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?,?[\s-]+(\d{4})(?!\d)", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?\s*(?P<half>[ap]\.?m\.?)?|"
    r"(?P<hour_alone>\d{1,2})\s*(?P<half_alone>[ap]\.?m\.?)|(?P<digits>\d{4})",
    re.IGNORECASE,
)
_ZONE = re.compile(r"(Z|UTC|GMT)|([-+])(\d{2}):?(\d{2})", re.IGNORECASE)
_SERIAL = re.compile(r"[34]\d{4}(\.\d+)?|5[0-4]\d{3}(\.\d+)?")


def day(name: str) -> parsing.Reader:
    """Reads the days of the column of this field."""

    def read(text: str, lookups: parsing.Lookups) -> str:
        found, rest = _date(text, lookups.notations.get(name, notation.HOUSE_DATES))
        if rest and _clock(rest)[0] != time():
            raise ValueError("Only a date is possible here, without a time.")
        return found.isoformat()

    return read


def moment(name: str) -> parsing.Reader:
    """Reads the times of the column of this field: with an offset, or on the clock of whoever sent the file.

    A day without a time is the company's: it begins at midnight where the company is.
    """

    def read(text: str, lookups: parsing.Lookups) -> str:
        found, rest = _date(text, lookups.notations.get(name, notation.HOUSE_DATES))
        clock, zone = _clock(rest) if rest else (time(), None)
        local = datetime.combine(found, clock)
        if zone is None and rest:
            zone = lookups.zone
            _require_once(local, zone)
        zone = zone or schedule.company_zone()
        at = local.replace(tzinfo=zone).astimezone(UTC)
        _require_year(at)
        return at.isoformat()

    return read


def _date(text: str, written: str) -> tuple[date, str]:
    """The day at the beginning of the text, and what comes after it."""
    text = " ".join(text.split())
    text = text[named.end() :] if (named := _WEEKDAY.match(text)) else text
    if _SERIAL.fullmatch(text):
        raise ValueError("This is a spreadsheet's number for a day. Format the column as a date, and save again.")
    for pattern, read in ((_YEAR_FIRST, _year_first), (notation.SLASHED, None), (_DOTTED, _dotted),
                          (_DAY_NAMED, _day_named), (_MONTH_NAMED, _month_named)):  # fmt: skip
        match = pattern.match(text)
        if match is None:
            continue
        year, of_year, of_month = read(match) if read else _slashed(match, written)
        try:
            found = date(year + 2000 if year < 100 else year, of_year, of_month)
        except ValueError:
            break
        _require_year(found)
        return found, text[match.end() :].lstrip(" ,Tt")
    raise ValueError(_DATE_WANTED)


def _year_first(found: "re.Match[str]") -> tuple[int, int, int]:
    year, of_year, of_month = (found[1], found[3], found[4]) if found[1] else (found[5], found[6], found[7])
    return int(year), int(of_year), int(of_month)


def _slashed(found: "re.Match[str]", written: str) -> tuple[int, int, int]:
    first, second = int(found[1]), int(found[3])
    if written == notation.DOUBTED:
        raise ValueError("Is the day or the month first in this column? Say so on the import's page.")
    of_month, of_year = (first, second) if written == notation.DAY else (second, first)
    return int(found[4]), of_year, of_month


def _dotted(found: "re.Match[str]") -> tuple[int, int, int]:
    return int(found[3]), int(found[2]), int(found[1])


def _day_named(found: "re.Match[str]") -> tuple[int, int, int]:
    return int(found[3]), month(found[2]), int(found[1])


def _month_named(found: "re.Match[str]") -> tuple[int, int, int]:
    return int(found[3]), month(found[1]), int(found[2])


def month(name: str) -> int:
    """The number of the month with this name or its first three letters; 0 where it is no month's name."""
    name = "september" if name.casefold() == "sept" else name.casefold()
    return next((number for number, full in enumerate(_MONTHS, 1) if name in (full, full[:3])), 0)


def _clock(text: str) -> tuple[time, tzinfo | None]:
    found = _CLOCK.match(text)
    rest = text[found.end() :].strip() if found else ""
    zone = _ZONE.fullmatch(rest) if rest else None
    if found is None or (rest and zone is None):
        raise ValueError(_TIME_WANTED)
    digits = found["digits"]
    hour = int(digits[:2] if digits else found["hour"] or found["hour_alone"])
    minute = int(digits[2:] if digits else found["minute"] or 0)
    half = (found["half"] or found["half_alone"] or "")[:1].lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(_TIME_WANTED)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        microsecond = int((found["fraction"] or "")[:6].ljust(6, "0"))
        return time(hour, minute, int(found["second"] or 0), microsecond), _offset(zone) if zone else None
    except ValueError:
        raise ValueError(_TIME_WANTED) from None


def _offset(zone: "re.Match[str]") -> tzinfo:
    if zone[1]:
        return UTC
    offset = timedelta(hours=int(zone[3]), minutes=int(zone[4]))
    return timezone(-offset if zone[2] == "-" else offset)


def _require_once(local: datetime, zone: tzinfo) -> None:
    """Refuse a time that the clocks skip or show twice on the days when they change."""
    early, late = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError("There is no such time: the clocks go forward then.")
    raise ValueError("There are two such times: the clocks go back then. Write it with its offset, such as -05:00.")


def _require_year(found: date) -> None:
    if found.year not in fields.YEARS:
        raise ValueError("The year must be between 2000 and 2100.")
