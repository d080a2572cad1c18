"""What the daily digest says: of each person's work, what there is to do today, and what has been left lying."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import dateformat, timezone

from athena.accounts.models import User
from sales import schedule
from sales.models import FollowUp, Lead
from sales.models.lead import lead_name

MAX_LISTED = 10  # of each section; the others are counted
Row = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """`rows` are those of everybody whose digest it is; `say` puts into words what is special about one."""

    name: str
    short: str  # in the subject, after its number
    title: str
    rows: "QuerySet[Any]"
    order: tuple[Any, ...]
    say: Callable[[Row, User], str]


def build_digests(people: Mapping[User, date]) -> dict[int, list[dict[str, Any]]]:
    """The digests of these people, by their ids: the sections that say something. `people` have the day it is for them.

    One query a section, however many the people are; ten lines of each section at most, and how many there are.
    """
    users = {user.pk: user for user in people}
    found: dict[int, list[dict[str, Any]]] = {}
    for section in _sections({user.pk: day for user, day in people.items()}):
        rows = section.rows.order_by().annotate(
            place=Window(RowNumber(), partition_by="assigned_to", order_by=section.order),
            many=Window(Count("*"), partition_by="assigned_to"),
        )
        for row in rows.filter(place__lte=MAX_LISTED).order_by("assigned_to_id", "place").values():
            theirs = found.setdefault(row["assigned_to_id"], [])
            if not theirs or theirs[-1]["name"] != section.name:
                named = {"name": section.name, "short": section.short, "title": section.title}
                theirs.append({**named, "count": row["many"], "more": max(row["many"] - MAX_LISTED, 0), "lines": []})
            detail = section.say(row, users[row["assigned_to_id"]])
            theirs[-1]["lines"].append({"lead_id": row["the_lead"], "lead_name": row["lead_name"], "detail": detail})
    return found


def _sections(today: Mapping[int, date]) -> list[Section]:
    now, ahead = timezone.now(), timedelta(days=settings.DIGEST_DAYS_AHEAD)
    plans = (
        FollowUp.objects.open()
        .filter(assigned_to__in=today, lead__archived_at__isnull=True)
        .annotate(the_lead=F("lead"), lead_name=lead_name("lead__"))
    )
    leads = Lead.objects.open().filter(assigned_to__in=today).annotate(the_lead=F("pk"), lead_name=lead_name())
    of_today = plans.filter(_by_day(today, lambda day: Q(scheduled_date=day)))
    overdue = plans.filter(_by_day(today, lambda day: Q(scheduled_date__lt=day)))
    expiring = leads.filter(_by_day(today, lambda day: Q(quote_valid_until__range=(day, day + ahead))))
    bids = leads.filter(bid_due_at__range=(now, now + ahead))
    by_clock = (F("scheduled_date").asc(), F("scheduled_time").asc(nulls_first=True), F("pk").asc())
    best_first = (F("score").desc(), F("pk").asc())
    return [
        Section("today", "today", "Today", of_today, by_clock, _at),
        Section("overdue", "overdue", "Overdue", overdue, by_clock, _on),
        Section("hot", "hot", "Hot, and not contacted yet", leads.hot_and_uncontacted(), best_first, _points),
        Section("quotes", "expiring", "Quotes about to expire", expiring, _first("quote_valid_until"), _until),
        Section("bids", "to bid on", "Bids about to fall due", bids, _first("bid_due_at"), _bid),
        Section("unplanned", "unplanned", "Nothing is planned", leads.unplanned(), best_first, _points),
        Section("passed", "to close", "The trip has passed: won or lost?", leads.trip_passed(),
                _first("pickup_at"), _pickup),
    ]  # fmt: skip


def _first(column: str) -> tuple[Any, ...]:
    return (F(column).asc(), F("pk").asc())


def _by_day(today: Mapping[int, date], condition: Callable[[date], Q]) -> Q:
    """`condition` of the day that it is for each person. There are three days on earth at most."""
    found = Q(pk__in=())
    for day in set(today.values()):
        found |= condition(day) & Q(assigned_to__in=[pk for pk, theirs in today.items() if theirs == day])
    return found


def _at(row: Row, user: User) -> str:
    clock: time | None = row["scheduled_time"]
    return _type(row) + (f", {clock:%H:%M}" if clock else "")


def _on(row: Row, user: User) -> str:
    return f"{_type(row)}, {_day(row['scheduled_date'])}"


def _points(row: Row, user: User) -> str:
    return f"{row['score']} points" + (f", {row['phone']}" if row["phone"] else "")


def _until(row: Row, user: User) -> str:
    return f"until {_day(row['quote_valid_until'])}"


def _bid(row: Row, user: User) -> str:
    return dateformat.format(row["bid_due_at"].astimezone(user.zone), "l, j F, H:i")


def _pickup(row: Row, user: User) -> str:
    return _day(row["pickup_at"].astimezone(schedule.company_zone()).date())


def _type(row: Row) -> str:
    return FollowUp.Type(row["follow_up_type"]).label


def _day(day: date) -> str:
    return dateformat.format(day, "l, j F")
