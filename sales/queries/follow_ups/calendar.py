"""Somebody's follow-ups as a calendar (iCalendar, RFC 5545)."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event, vUri

from athena.accounts.models import User, local_today
from sales import schedule
from sales.models import FollowUp
from sales.models.follow_up import IS_OPEN, FollowUpQuerySet

CANCELLED_SHOWN_FOR = timedelta(days=30)
TIMED_DURATION = timedelta(minutes=30)  # what a timed follow-up takes up of the day
MAX_EVENTS = 1_000
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # RFC 5545 has tabs and line breaks alone


def build_feed(user: User) -> bytes:
    """This person's open follow-ups, and those cancelled in the last 30 days, marked so.

    Of more than a calendar can hold, those whose days are nearest to today; cancelled ones give way to open ones. The
    same rows give the same bytes.
    """
    mine = FollowUp.objects.visible_to(user).filter(assigned_to=user).select_related("lead")
    today = local_today(user)
    kept = _nearest(mine.filter(IS_OPEN), today, MAX_EVENTS)
    cancelled = mine.filter(cancelled_at__gte=timezone.now() - CANCELLED_SHOWN_FOR)
    kept += _nearest(cancelled, today, MAX_EVENTS - len(kept))
    return render_calendar(sorted(kept, key=lambda follow_up: (follow_up.scheduled_date, follow_up.pk)), user)


def render_calendar(follow_ups: Iterable[FollowUp], user: User) -> bytes:
    """These follow-ups as iCalendar, for `user`."""
    calendar = Calendar()
    calendar.add("prodid", "-//Athena//Follow-ups//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Athena")
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for follow_up in follow_ups:
        calendar.add_component(_event(follow_up, user))
    text: bytes = calendar.to_ical()
    return text


def clean_text(text: str) -> str:
    """The text without the characters that iCalendar has no way to write; every kind of line break is `\\n`."""
    return _NOT_TEXT.sub("", _LINE_BREAKS.sub("\n", text))


def get_etag(text: bytes) -> str:
    return sha256(text).hexdigest()[:32]


def _nearest(rows: FollowUpQuerySet, today: date, limit: int) -> list[FollowUp]:
    """The `limit` rows whose days are nearest to today, before or after it. Two queries."""
    ahead = rows.filter(scheduled_date__gte=today).order_by("scheduled_date", "pk")[:limit]
    behind = rows.filter(scheduled_date__lt=today).order_by("-scheduled_date", "-pk")[:limit]
    return sorted([*ahead, *behind], key=lambda follow_up: abs(follow_up.scheduled_date - today))[:limit]


def _event(follow_up: FollowUp, user: User) -> Event:
    """SEQUENCE and LAST-MODIFIED rise with all that moves the event: the tick gives a new `version` and `due_at` to the
    follow-ups of somebody whose time zone has changed."""
    lead, event = follow_up.lead, Event()
    changed = max(follow_up.updated_at, lead.updated_at)
    event.add("uid", f"follow-up-{follow_up.pk}@{urlsplit(settings.BASE_URL).hostname}")
    event.add("sequence", follow_up.version - 1)
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("summary", clean_text(f"{_state(follow_up)}{follow_up.get_follow_up_type_display()}: {lead}"))
    event.add("description", clean_text("\n".join(filter(None, [follow_up.notes, lead.phone, lead.email]))))
    event.add("url", vUri(f"{settings.BASE_URL}/admin/sales/lead/{lead.pk}/change/"))
    event.add("status", "CONFIRMED" if follow_up.cancelled_at is None else "CANCELLED")
    if follow_up.scheduled_time is None:
        event.add("dtstart", follow_up.scheduled_date)
        event.add("dtend", follow_up.scheduled_date + timedelta(days=1))
    else:
        begins: datetime = follow_up.due_at or schedule.get_due_at(
            user, follow_up.scheduled_date, follow_up.scheduled_time
        )
        event.add("dtstart", begins)
        event.add("dtend", begins + TIMED_DURATION)
    if follow_up.scheduled_time is None or not follow_up.is_open:
        event.add("transp", "TRANSPARENT")
    return event


def _state(follow_up: FollowUp) -> str:
    """What the title begins with: many calendars show it and not the status."""
    if follow_up.cancelled_at is not None:
        return "Cancelled: "
    return "Done: " if follow_up.completed else ""
