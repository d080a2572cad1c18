"""Due times and reminder times of follow-ups in the assignee's time zone, and working days."""

from datetime import UTC, date, datetime, time

import pytest
import time_machine

from athena.accounts.models import User
from sales import schedule


def parse_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "expected"),
    [
        ("America/New_York", date(2026, 7, 1), time(10), "2026-07-01T14:00"),
        ("America/New_York", date(2026, 12, 1), time(10), "2026-12-01T15:00"),
        ("America/New_York", date(2026, 12, 1), None, "2026-12-01T14:00"),
        ("Pacific/Auckland", date(2026, 7, 1), time(10), "2026-06-30T22:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),  # a time that does not exist
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),  # a time that comes twice: the first
    ],
)
def test_a_follow_up_is_due_at_its_time_in_the_assignees_zone(
    zone: str, day: date, clock: time | None, expected: str
) -> None:
    assert schedule.get_due_at(User(time_zone=zone), day, clock) == parse_utc(expected)


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (date(2026, 7, 2), time(10), "2026-07-02T13:30"),  # half an hour before, New York
        (date(2026, 7, 2), None, "2026-07-02T12:00"),  # 08:00 that morning
        (date(2026, 7, 1), time(16), "2026-07-01T19:30"),
        (date(2026, 7, 1), time(9), "2026-07-01T16:00"),  # past, but today: now
        (date(2026, 7, 1), None, "2026-07-01T16:00"),
        (date(2026, 6, 30), time(23), None),  # yesterday: never
    ],
)
def test_reminders_come_before_the_due_time_and_never_after_the_day(
    day: date, clock: time | None, expected: str | None
) -> None:
    now = parse_utc("2026-07-01T16:00")
    with time_machine.travel(now, tick=False):
        remind_at = schedule.get_remind_at(User(time_zone="America/New_York", reminder_minutes=30), day, clock, now)
    assert remind_at == (parse_utc(expected) if expected else None)


def test_no_reminder_if_the_day_is_over_where_the_assignee_is() -> None:
    now = parse_utc("2026-07-01T03:00")  # still June 30 in New York, July 1 in Berlin
    with time_machine.travel(now, tick=False):
        times = [
            schedule.get_remind_at(User(time_zone=zone), date(2026, 6, 30), None, now)
            for zone in ("America/New_York", "Europe/Berlin")
        ]
    assert times == [now, None]


def test_company_today_is_in_the_companys_time_zone(settings: object) -> None:
    settings.COMPANY_TIME_ZONE = "Pacific/Auckland"  # type: ignore[attr-defined]
    with time_machine.travel(parse_utc("2026-07-01T13:00"), tick=False):
        assert schedule.company_today() == date(2026, 7, 2)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 25), date(2026, 11, 25)),
        (date(2026, 11, 26), date(2026, 11, 27)),  # Thanksgiving
        (date(2026, 11, 28), date(2026, 11, 30)),  # a weekend
        (date(2026, 7, 3), date(2026, 7, 6)),  # Independence Day, observed on the Friday before
        (date(2026, 12, 31), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 1, 4)),
    ],
)
def test_a_date_moves_to_the_next_working_day(day: date, expected: date) -> None:
    assert schedule.move_to_working_day(day) == expected


def test_holidays_are_those_of_the_region(settings: object) -> None:
    settings.HOLIDAYS_COUNTRY, settings.HOLIDAYS_REGION = "US", "MA"  # type: ignore[attr-defined]
    assert schedule.move_to_working_day(date(2026, 4, 20)) == date(2026, 4, 21)  # Patriots' Day

    settings.HOLIDAYS_COUNTRY, settings.HOLIDAYS_REGION = "DE", "BY"  # type: ignore[attr-defined]
    assert schedule.move_to_working_day(date(2026, 4, 20)) == date(2026, 4, 20)
    assert schedule.move_to_working_day(date(2026, 1, 6)) == date(2026, 1, 7)  # Epiphany


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 12, 1), 1, date(2026, 11, 30)),
        (date(2026, 11, 30), 2, date(2026, 11, 25)),  # Friday and Monday; Thursday is Thanksgiving
        (date(2026, 11, 29), 1, date(2026, 11, 25)),  # on a Sunday as on the Friday before
        (date(2026, 11, 29), 2, date(2026, 11, 24)),
    ],
)
def test_working_days_are_subtracted(day: date, count: int, expected: date) -> None:
    assert schedule.subtract_working_days(day, count) == expected


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 1), -6, date(2026, 6, 1)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
    ],
)
def test_months_are_added(day: date, months: int, expected: date) -> None:
    assert schedule.add_months(day, months) == expected
