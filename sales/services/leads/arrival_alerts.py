"""Telling people of leads and inquiries that come in: each by name, and many within minutes in one message.

Whoever knows an open lead's address can send inquiries as fast as the throttle lets them: what people get does not grow
with that. All of it is in the leads' stories.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from athena.accounts.models import User
from notifications import outbox
from notifications.kinds import UNLISTED
from notifications.models import Notification
from sales import policy
from sales.models import Lead

WINDOW = timedelta(minutes=10)
MAX_SINGLE_ALERTS = 5  # messages that one person gets within `WINDOW`; the rest is gathered in one
GATHERING_DELAY = timedelta(minutes=1)
MAX_LISTED_LINES = 50  # lines of a gathered message; the others are counted
GATHERED_KIND = "arrivals"
KINDS = ("lead_assigned", "lead_unowned", "inquiry_received", GATHERED_KIND)


def _nothing(user: User) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Arrival:
    """Something that came in about a lead. `details` is what its own message says to somebody besides the lead's name;
    `key` is the same for the same arrival."""

    kind: str
    lead: Lead
    key: str
    details: Callable[[User], Mapping[str, Any]] = field(default=_nothing)

    def message(self, user: User, by: User | None) -> outbox.NewNotification:
        context = {"lead_id": self.lead.pk, "lead_name": str(self.lead), **self.details(user)}
        return outbox.NewNotification(self.kind, user.pk, f"{self.key}:{user.pk}", context, by_id=by.pk if by else None)


@dataclass
class _RecentAlerts:
    """What somebody was told of arrivals in the last `WINDOW`, or is about to be: when, by lead; how often; and when
    the latest gathered message comes."""

    by_lead: dict[int, datetime] = field(default_factory=dict)
    count: int = 0
    gathered_at: datetime | None = None


def build_new_lead_arrival(lead: Lead, by: User | None) -> Arrival:
    """A lead that was made, by whom, with the owner that it has now."""
    if lead.assigned_to_id is None:
        return Arrival("lead_unowned", lead, f"unowned:{lead.pk}")
    by_name = str(by) if by else "Athena"
    return Arrival("lead_assigned", lead, f"assigned:{lead.pk}", lambda user: {"by_name": by_name})


@transaction.atomic
def notify_arrivals(arrivals: Sequence[Arrival], *, by: User | None) -> None:
    """Tell each lead's owner; of leads that nobody (active) owns, the managers. Nobody is told of their own act.

    What comes too fast is gathered: a second arrival on a lead within `WINDOW`, and what is more than `ALONE`.
    """
    messages, gathered = [], {}
    concerned = [(user, theirs) for user, theirs in _group_by_recipient(arrivals) if by is None or user.pk != by.pk]
    recent = _load_recent_alerts([user.pk for user, _ in concerned])
    for user, theirs in concerned:
        lately = recent[user.pk]
        together = theirs
        if lately.count + len(theirs) <= MAX_SINGLE_ALERTS:
            together = [each for each in theirs if each.lead.pk in lately.by_lead]
            messages += [each.message(user, by) for each in theirs if each.lead.pk not in lately.by_lead]
        if together:
            gathered[user.pk] = together
    outbox.add_many(messages)
    if gathered:
        _gather(gathered, recent)


def _group_by_recipient(arrivals: Sequence[Arrival]) -> list[tuple[User, list[Arrival]]]:
    """Who is to be told of which, in the order of their keys. Two queries."""
    owners = User.objects.filter(is_active=True).in_bulk({each.lead.assigned_to_id for each in arrivals} - {None})
    minders: list[User] | None = None
    found: dict[int, tuple[User, list[Arrival]]] = {}
    for each in arrivals:
        owner = owners.get(each.lead.assigned_to_id or 0)
        if owner is None and minders is None:
            minders = list(policy.find_fallback_recipients())
        for user in [owner] if owner else minders or []:
            found.setdefault(user.pk, (user, []))[1].append(each)
    return [found[key] for key in sorted(found)]


def _load_recent_alerts(user_ids: Sequence[int]) -> dict[int, _RecentAlerts]:
    """By user. One query."""
    found = {pk: _RecentAlerts() for pk in user_ids}
    since = timezone.now() - WINDOW
    rows = Notification.objects.filter(recipient__in=user_ids, kind__in=KINDS, not_before__gt=since).order_by("pk")
    for recipient, kind, at, context in rows.values_list("recipient", "kind", "not_before", "context"):
        lately = found[recipient]
        if kind == GATHERED_KIND:
            lately.gathered_at = max(at, lately.gathered_at or at)
        else:
            lately.count += 1
        listed = [line["lead_id"] for line in context.get("lines", ())]
        for lead_id in [context.get("lead_id"), *listed, *context.get(UNLISTED, ())]:
            lately.by_lead[lead_id] = max(at, lately.by_lead.get(lead_id, at))
    return found


def _gather(gathered: Mapping[int, Sequence[Arrival]], recent: Mapping[int, _RecentAlerts]) -> None:
    """Add these arrivals to the gathered message that each person is yet to get, or to a new one."""
    waiting = outbox.lock_unsent(GATHERED_KIND, gathered)
    for user_id, arrivals in gathered.items():
        message = waiting.get(user_id)
        if message is None:
            at = _next_gathered(arrivals, recent[user_id])
            key = f"{GATHERED_KIND}:{user_id}:{at:%Y%m%d%H%M%S%f}"
            context = _with({}, arrivals)
            outbox.add(kind=GATHERED_KIND, recipient_id=user_id, dedupe_key=key, context=context, not_before=at)
        else:
            message.context = _with(message.context, arrivals)
            message.save(update_fields=["context"])


def _next_gathered(arrivals: Sequence[Arrival], lately: _RecentAlerts) -> datetime:
    """In a minute, but not sooner than `WINDOW` after the last one and after what was told of the same leads."""
    before = [lately.by_lead[each.lead.pk] for each in arrivals if each.lead.pk in lately.by_lead]
    if lately.gathered_at is not None:
        before.append(lately.gathered_at)
    return max([timezone.now() + GATHERING_DELAY, *(at + WINDOW for at in before)])


def _with(context: Mapping[str, Any], arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """The context of a gathered message with these in it: a line for each lead and kind, and how many it stands for."""
    lines = {(line["lead_id"], line["what"]): dict(line) for line in context.get("lines", ())}
    more, unlisted = context.get("more", 0), list(context.get(UNLISTED, ()))
    for each in arrivals:
        key = each.lead.pk, each.kind
        if key in lines:
            lines[key]["count"] += 1
        elif len(lines) < MAX_LISTED_LINES:
            name = str(each.lead)
            lines[key] = {"lead_id": each.lead.pk, "lead_name": name, "what": each.kind, "count": 1}
        else:
            more += 1
            unlisted.append(each.lead.pk)
    count = context.get("count", 0) + len(arrivals)
    return {"count": count, "lines": list(lines.values()), "more": more, UNLISTED: unlisted}
