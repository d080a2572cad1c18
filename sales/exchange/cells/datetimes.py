"""Dates and times as people write them into cells."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from athena.api import fields
from sales import schedule
from sales.exchange.cells import notation, parsing

_EXAMPLE = "1/5/2026" if notation.DEFAULT_DATES == notation.DAY_FIRST else "5/1/2026"
_DATE_EXPECTED = f"A date is required, such as 2026-05-01 or {_EXAMPLE}."
_TIME_EXPECTED = "A time is required, such as 14:30 or 2:30 PM."
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)|(\d{4})(\d{2})(\d{2})(?!\d)")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})(?!\d)")
_DAY_AND_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4}|\d{2})(?!\d)", re.IGNORECASE)
_NAME_AND_DAY = re.compile(r"([a-z]{3,9})\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?,?[\s-]+(\d{4})(?!\d)", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?\s*(?P<half>[ap]\.?m\.?)?|"
    r"(?P<hour_alone>\d{1,2})\s*(?P<half_alone>[ap]\.?m\.?)|(?P<digits>\d{4})",
    re.IGNORECASE,
)
_ZONE = re.compile(r"(Z|UTC|GMT)|([-+])(\d{2}):?(\d{2})", re.IGNORECASE)
_SERIAL_NUMBER = re.compile(r"[34]\d{4}(\.\d+)?|5[0-4]\d{3}(\.\d+)?")


def date_reader(field: str) -> parsing.CellReader:
    """Return a reader of dates for the column of this field. It returns ISO dates."""

    def read(text: str, lookups: parsing.Lookups) -> str:
        day, rest = _read_date(text, lookups.notations.get(field, notation.DEFAULT_DATES))
        if rest and _read_clock(rest)[0] != time():
            raise ValueError("Only a date is possible here. Remove the time.")
        return day.isoformat()

    return read


def datetime_reader(field: str) -> parsing.CellReader:
    """Return a reader of datetimes for the column of this field. It returns ISO datetimes in UTC.

    A time without an offset is in the time zone of the user who sent the file (`lookups.zone`). A date without a time
    is midnight in the company's time zone.
    """

    def read(text: str, lookups: parsing.Lookups) -> str:
        day, rest = _read_date(text, lookups.notations.get(field, notation.DEFAULT_DATES))
        clock, zone = _read_clock(rest) if rest else (time(), None)
        local = datetime.combine(day, clock)
        if zone is None and rest:
            zone = lookups.zone
            _require_unambiguous(local, zone)
        zone = zone or schedule.company_zone()
        at = local.replace(tzinfo=zone).astimezone(UTC)
        _require_year(at)
        return at.isoformat()

    return read


def _read_date(text: str, written: str) -> tuple[date, str]:
    """Return the date at the beginning of the text, and the text after it. `written` is a notation of dates."""
    text = " ".join(text.split())
    text = text[weekday.end() :] if (weekday := _WEEKDAY.match(text)) else text
    if _SERIAL_NUMBER.fullmatch(text):
        raise ValueError("This is a spreadsheet's number for a date. Format the column as a date, and save again.")
    for pattern, read in _DATE_PATTERNS:
        match = pattern.match(text)
        if match is None:
            continue
        year, month, day_of_month = read(match, written)
        try:
            day = date(year + 2000 if year < 100 else year, month, day_of_month)
        except ValueError:
            break
        _require_year(day)
        return day, text[match.end() :].lstrip(" ,Tt")
    raise ValueError(_DATE_EXPECTED)


# Each of these returns year, month and day of a match.


def _read_year_first(match: "re.Match[str]", written: str) -> tuple[int, int, int]:
    year, month, day = (match[1], match[3], match[4]) if match[1] else (match[5], match[6], match[7])
    return int(year), int(month), int(day)


def _read_slashed(match: "re.Match[str]", written: str) -> tuple[int, int, int]:
    first, second = int(match[1]), int(match[3])
    if written == notation.UNDECIDED:
        raise ValueError("Is the day or the month first in this column? Choose on the import's page.")
    day, month = (first, second) if written == notation.DAY_FIRST else (second, first)
    return int(match[4]), month, day


def _read_dotted(match: "re.Match[str]", written: str) -> tuple[int, int, int]:
    return int(match[3]), int(match[2]), int(match[1])


def _read_day_and_name(match: "re.Match[str]", written: str) -> tuple[int, int, int]:
    return int(match[3]), find_month(match[2]), int(match[1])


def _read_name_and_day(match: "re.Match[str]", written: str) -> tuple[int, int, int]:
    return int(match[3]), find_month(match[1]), int(match[2])


_DATE_PATTERNS = (
    (_YEAR_FIRST, _read_year_first),
    (notation.SLASHED_DATE, _read_slashed),
    (_DOTTED, _read_dotted),
    (_DAY_AND_NAME, _read_day_and_name),
    (_NAME_AND_DAY, _read_name_and_day),
)


def find_month(name: str) -> int:
    """Return the number of the month with this name, or its first three letters; 0 if there is none."""
    name = "september" if name.casefold() == "sept" else name.casefold()
    return next((number for number, full in enumerate(_MONTHS, 1) if name in (full, full[:3])), 0)


def _read_clock(text: str) -> tuple[time, tzinfo | None]:
    """Return the time, and its offset from UTC if the text has one."""
    match = _CLOCK.match(text)
    rest = text[match.end() :].strip() if match else ""
    zone = _ZONE.fullmatch(rest) if rest else None
    if match is None or (rest and zone is None):
        raise ValueError(_TIME_EXPECTED)
    digits = match["digits"]
    hour = int(digits[:2] if digits else match["hour"] or match["hour_alone"])
    minute = int(digits[2:] if digits else match["minute"] or 0)
    half = (match["half"] or match["half_alone"] or "")[:1].lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(_TIME_EXPECTED)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        microsecond = int((match["fraction"] or "")[:6].ljust(6, "0"))
        return time(hour, minute, int(match["second"] or 0), microsecond), _read_offset(zone) if zone else None
    except ValueError:
        raise ValueError(_TIME_EXPECTED) from None


def _read_offset(zone: "re.Match[str]") -> tzinfo:
    if zone[1]:
        return UTC
    offset = timedelta(hours=int(zone[3]), minutes=int(zone[4]))
    return timezone(-offset if zone[2] == "-" else offset)


def _require_unambiguous(local: datetime, zone: tzinfo) -> None:
    """Refuse a time that clocks in this zone skip or show twice when they change."""
    early, late = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError("There is no such time: the clocks go forward then. Write another time.")
    raise ValueError("There are two such times: the clocks go back then. Write it with its offset, such as -05:00.")


def _require_year(day: date) -> None:
    if day.year not in fields.YEARS:
        raise ValueError("The year must be between 2000 and 2100.")
