"""The content of the daily digest: what each person has to do today, and what needs their attention."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from athena.accounts.models import User
from athena.formatting import format_date, format_datetime
from sales import schedule
from sales.models import FollowUp, Lead
from sales.models.leads.lead import lead_name

MAX_LISTED = 10  # rows of a section; the others are counted
Row = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A section of the digest. `rows` are those of all its recipients; `describe` writes the detail of one row."""

    name: str
    short: str  # follows the count in the email's subject
    title: str
    rows: "QuerySet[Any]"
    order: tuple[Any, ...]
    describe: Callable[[Row, User], str]


def build_digests(people: Mapping[User, date]) -> dict[int, list[dict[str, Any]]]:
    """Build the digests of these users, each with the date it is for. Returns their sections, by user id.

    Empty sections and empty digests are left out. A section lists at most `MAX_LISTED` rows and counts the others. One
    query a section, for any number of users.
    """
    users = {user.pk: user for user in people}
    digests: dict[int, list[dict[str, Any]]] = {}
    for section in _build_sections({user.pk: day for user, day in people.items()}):
        rows = section.rows.order_by().annotate(
            place=Window(RowNumber(), partition_by="assigned_to", order_by=section.order),
            count=Window(Count("*"), partition_by="assigned_to"),
        )
        for row in rows.filter(place__lte=MAX_LISTED).order_by("assigned_to_id", "place").values():
            sections = digests.setdefault(row["assigned_to_id"], [])
            if not sections or sections[-1]["name"] != section.name:
                sections.append(_build_section(section, row["count"]))
            detail = section.describe(row, users[row["assigned_to_id"]])
            line = {"lead_id": row["the_lead"], "lead_name": row["lead_name"], "detail": detail}
            sections[-1]["lines"].append(line)
    return digests


def _build_section(section: Section, count: int) -> dict[str, Any]:
    return {
        "name": section.name,
        "short": section.short,
        "title": section.title,
        "count": count,
        "more": max(count - MAX_LISTED, 0),
        "lines": [],
    }


def _build_sections(today: Mapping[int, date]) -> list[Section]:
    now, ahead = timezone.now(), timedelta(days=settings.DIGEST_DAYS_AHEAD)
    plans = (
        FollowUp.objects.open()
        .filter(assigned_to__in=today, lead__archived_at__isnull=True)
        .annotate(the_lead=F("lead"), lead_name=lead_name("lead__"))
    )
    leads = Lead.objects.open().filter(assigned_to__in=today).annotate(the_lead=F("pk"), lead_name=lead_name())
    today_plans = plans.filter(_by_day(today, lambda day: Q(scheduled_date=day)))
    overdue = plans.filter(_by_day(today, lambda day: Q(scheduled_date__lt=day)))
    expiring = leads.filter(_by_day(today, lambda day: Q(quote_valid_until__range=(day, day + ahead))))
    bids = leads.filter(bid_due_at__range=(now, now + ahead))
    by_due_time = (F("scheduled_date").asc(), F("scheduled_time").asc(nulls_first=True), F("pk").asc())
    best_first = (F("score").desc(), F("pk").asc())
    return [
        Section("today", "today", "Today", today_plans, by_due_time, _describe_time),
        Section("overdue", "overdue", "Overdue", overdue, by_due_time, _describe_date),
        Section("hot", "hot", "Hot, not contacted yet", leads.hot_and_uncontacted(), best_first, _describe_score),
        Section(
            "quotes",
            "expiring",
            "Quotes that expire soon",
            expiring,
            _earliest_first("quote_valid_until"),
            _describe_expiry,
        ),
        Section("bids", "to bid on", "Bids due soon", bids, _earliest_first("bid_due_at"), _describe_bid),
        Section("unplanned", "unplanned", "Unplanned", leads.unplanned(), best_first, _describe_score),
        Section(
            "passed",
            "to close",
            "The trip has passed: won or lost?",
            leads.trip_passed(),
            _earliest_first("pickup_at"),
            _describe_pickup,
        ),
    ]


def _earliest_first(column: str) -> tuple[Any, ...]:
    return (F(column).asc(), F("pk").asc())


def _by_day(today: Mapping[int, date], build_condition: Callable[[date], Q]) -> Q:
    """`build_condition(date)` for each user with the date it is for them. At most three dates exist at one time."""
    condition = Q(pk__in=())
    for day in set(today.values()):
        user_ids = [user_id for user_id, user_day in today.items() if user_day == day]
        condition |= build_condition(day) & Q(assigned_to__in=user_ids)
    return condition


def _describe_time(row: Row, user: User) -> str:
    clock: time | None = row["scheduled_time"]
    return _get_type_label(row) + (f", {clock:%H:%M}" if clock else "")


def _describe_date(row: Row, user: User) -> str:
    return f"{_get_type_label(row)}, {format_date(row['scheduled_date'])}"


def _describe_score(row: Row, user: User) -> str:
    return f"{row['score']} points" + (f", {row['phone']}" if row["phone"] else "")


def _describe_expiry(row: Row, user: User) -> str:
    return f"until {format_date(row['quote_valid_until'])}"


def _describe_bid(row: Row, user: User) -> str:
    return format_datetime(row["bid_due_at"], user.zone)


def _describe_pickup(row: Row, user: User) -> str:
    return format_date(row["pickup_at"].astimezone(schedule.company_zone()).date())


def _get_type_label(row: Row) -> str:
    return FollowUp.Type(row["follow_up_type"]).label
