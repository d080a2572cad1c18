"""A user's follow-ups as a calendar (iCalendar, RFC 5545)."""

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
from sales.models.follow_ups.follow_up import IS_OPEN, FollowUpQuerySet

CANCELLED_SHOWN_FOR = timedelta(days=30)
TIMED_DURATION = timedelta(minutes=30)  # of an event with a time
MAX_EVENTS = 1_000
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # RFC 5545 has tabs and line breaks alone


def build_feed(user: User) -> bytes:
    """The calendar of `user`: their open follow-ups, and those canceled in the last 30 days, marked as canceled.

    At most `MAX_EVENTS`: open ones before canceled ones, and those with dates nearest to today. The same rows give the
    same bytes.
    """
    assigned = FollowUp.objects.visible_to(user).filter(assigned_to=user).select_related("lead")
    today = local_today(user)
    kept = _nearest(assigned.filter(IS_OPEN), today, MAX_EVENTS)
    cancelled = assigned.filter(cancelled_at__gte=timezone.now() - CANCELLED_SHOWN_FOR)
    kept += _nearest(cancelled, today, MAX_EVENTS - len(kept))
    return render_calendar(sorted(kept, key=lambda follow_up: (follow_up.scheduled_date, follow_up.pk)), user)


def render_calendar(follow_ups: Iterable[FollowUp], user: User) -> bytes:
    """These follow-ups of `user` as iCalendar."""
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
    """The text without characters that iCalendar can't contain; every kind of line break becomes `\\n`."""
    return _NOT_TEXT.sub("", _LINE_BREAKS.sub("\n", text))


def get_etag(text: bytes) -> str:
    return sha256(text).hexdigest()[:32]


def _nearest(rows: FollowUpQuerySet, today: date, limit: int) -> list[FollowUp]:
    """The `limit` rows with dates nearest to today, before or after it. Two queries."""
    ahead = rows.filter(scheduled_date__gte=today).order_by("scheduled_date", "pk")[:limit]
    behind = rows.filter(scheduled_date__lt=today).order_by("-scheduled_date", "-pk")[:limit]
    return sorted([*ahead, *behind], key=lambda follow_up: abs(follow_up.scheduled_date - today))[:limit]


def _event(follow_up: FollowUp, user: User) -> Event:
    """The event of a follow-up. SEQUENCE and LAST-MODIFIED rise with every change that moves it.

    That includes a new time zone of the assignee: the tick then gives the follow-ups a new `version` and `due_at`.
    """
    lead, event = follow_up.lead, Event()
    changed_at = max(follow_up.updated_at, lead.updated_at)
    event.add("uid", f"follow-up-{follow_up.pk}@{urlsplit(settings.BASE_URL).hostname}")
    event.add("sequence", follow_up.version - 1)
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("summary", clean_text(f"{_get_title_prefix(follow_up)}{follow_up.get_follow_up_type_display()}: {lead}"))
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


def _get_title_prefix(follow_up: FollowUp) -> str:
    """The start of the title for a closed follow-up: many calendar programs show the title and not the status."""
    if follow_up.cancelled_at is not None:
        return "Canceled: "
    return "Done: " if follow_up.completed else ""
