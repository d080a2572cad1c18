"""Somebody's follow-ups as a calendar (iCalendar, RFC 5545)."""

from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from icalendar import Calendar, Event, vUri

from athena.accounts.models import User
from sales import schedule
from sales.models import FollowUp
from sales.models.follow_up import OPEN

CANCELLED_FOR = timedelta(days=30)
LONG = timedelta(minutes=30)  # what a timed follow-up takes up of the day
MOST = 1_000


def feed(user: User) -> bytes:
    """This person's open follow-ups, and those cancelled in the last 30 days, marked so.

    The latest of them, should there be more than a calendar can hold. The same rows give the same bytes.
    """
    cancelled = Q(cancelled_at__gte=timezone.now() - CANCELLED_FOR)
    rows = FollowUp.objects.visible_to(user).filter(OPEN | cancelled, assigned_to=user).select_related("lead")
    calendar = Calendar()
    calendar.add("prodid", "-//Athena//Follow-ups//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Athena")
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for follow_up in rows.order_by("-scheduled_date", "-pk")[:MOST]:
        calendar.add_component(_event(follow_up, user))
    text: bytes = calendar.to_ical()
    return text


def tag_of(text: bytes) -> str:
    return sha256(text).hexdigest()[:32]


def _event(follow_up: FollowUp, user: User) -> Event:
    lead, event = follow_up.lead, Event()
    event.add("uid", f"follow-up-{follow_up.pk}@{urlsplit(settings.BASE_URL).hostname}")
    event.add("sequence", follow_up.version - 1)
    event.add("dtstamp", follow_up.updated_at)
    event.add("last-modified", follow_up.updated_at)
    event.add("summary", f"{follow_up.get_follow_up_type_display()}: {lead}")
    event.add("description", "\n".join(filter(None, [follow_up.notes, lead.phone, lead.email])))
    event.add("url", vUri(f"{settings.BASE_URL}/admin/sales/lead/{lead.pk}/change/"))
    event.add("status", "CONFIRMED" if follow_up.is_open else "CANCELLED")
    if follow_up.scheduled_time is None:
        event.add("dtstart", follow_up.scheduled_date)
        event.add("dtend", follow_up.scheduled_date + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
    else:
        begins: datetime = schedule.due_at(user, follow_up.scheduled_date, follow_up.scheduled_time)
        event.add("dtstart", begins)
        event.add("dtend", begins + LONG)
    return event
