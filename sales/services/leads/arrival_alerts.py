"""Notifies users about new leads and inquiries: a few one by one, many within minutes in one summary.

Anybody who knows the email address of an open lead can send inquiries as fast as the throttle allows: the number of
notifications must not grow with that. The leads' timelines hold all inquiries.
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
MAX_SINGLE_ALERTS = 5  # notifications about one arrival each that a user gets within `WINDOW`
SUMMARY_DELAY = timedelta(minutes=1)
MAX_LISTED_LINES = 50  # lines of a summary; further arrivals are counted
SUMMARY_KIND = "arrivals"
KINDS = ("lead_assigned", "lead_unowned", "inquiry_received", SUMMARY_KIND)


def _no_details(user: User) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Arrival:
    """A new lead, or an inquiry that was added to a lead.

    `kind` is the kind of its notification, `key` identifies the arrival. `details` returns what the context of a user's
    notification holds besides the lead.
    """

    kind: str
    lead: Lead
    key: str
    details: Callable[[User], Mapping[str, Any]] = field(default=_no_details)

    def build_notification(self, user: User, by: User | None) -> outbox.NewNotification:
        context = {"lead_id": self.lead.pk, "lead_name": str(self.lead), **self.details(user)}
        return outbox.NewNotification(self.kind, user.pk, f"{self.key}:{user.pk}", context, by_id=by.pk if by else None)


@dataclass
class _RecentAlerts:
    """The notifications about arrivals that a user got in the last `WINDOW` or is going to get."""

    by_lead: dict[int, datetime] = field(default_factory=dict)  # when the latest one about a lead is due
    count: int = 0  # without summaries
    summary_at: datetime | None = None  # when the latest summary is due


def build_new_lead_arrival(lead: Lead, by: User | None) -> Arrival:
    """Return the arrival of a lead that `by` created, for its present owner or, without an owner, for managers."""
    if lead.assigned_to_id is None:
        return Arrival("lead_unowned", lead, f"unowned:{lead.pk}")
    by_name = str(by) if by else "Athena"
    return Arrival("lead_assigned", lead, f"assigned:{lead.pk}", lambda user: {"by_name": by_name})


@transaction.atomic
def notify_arrivals(arrivals: Sequence[Arrival], *, by: User | None) -> None:
    """Notify the owners of the leads, and managers about leads without an active owner; never the user `by`.

    A second arrival for a lead within `WINDOW`, and everything above `MAX_SINGLE_ALERTS`, goes into a summary.
    """
    notifications, summarized = [], {}
    groups = [(user, group) for user, group in _group_by_recipient(arrivals) if by is None or user.pk != by.pk]
    recent_alerts = _load_recent_alerts([user.pk for user, _ in groups])
    for user, group in groups:
        recent = recent_alerts[user.pk]
        if recent.count + len(group) <= MAX_SINGLE_ALERTS:
            single = [arrival for arrival in group if arrival.lead.pk not in recent.by_lead]
            notifications += [arrival.build_notification(user, by) for arrival in single]
            group = [arrival for arrival in group if arrival.lead.pk in recent.by_lead]
        if group:
            summarized[user.pk] = group
    outbox.add_many(notifications)
    if summarized:
        _summarize(summarized, recent_alerts)


def _group_by_recipient(arrivals: Sequence[Arrival]) -> list[tuple[User, list[Arrival]]]:
    """Return the users to notify, in the order of their ids, each with their arrivals. Two queries."""
    owner_ids = {arrival.lead.assigned_to_id for arrival in arrivals} - {None}
    owners = User.objects.filter(is_active=True).in_bulk(owner_ids)
    managers: list[User] | None = None
    groups: dict[int, tuple[User, list[Arrival]]] = {}
    for arrival in arrivals:
        owner = owners.get(arrival.lead.assigned_to_id or 0)
        if owner is None and managers is None:
            managers = list(policy.find_fallback_recipients())
        for user in [owner] if owner else managers or []:
            groups.setdefault(user.pk, (user, []))[1].append(arrival)
    return [groups[user_id] for user_id in sorted(groups)]


def _load_recent_alerts(user_ids: Sequence[int]) -> dict[int, _RecentAlerts]:
    """Return the recent alerts by user. One query."""
    by_user = {user_id: _RecentAlerts() for user_id in user_ids}
    since = timezone.now() - WINDOW
    rows = Notification.objects.filter(recipient__in=user_ids, kind__in=KINDS, not_before__gt=since).order_by("pk")
    for user_id, kind, due_at, context in rows.values_list("recipient", "kind", "not_before", "context"):
        recent = by_user[user_id]
        if kind == SUMMARY_KIND:
            recent.summary_at = max(due_at, recent.summary_at or due_at)
        else:
            recent.count += 1
        listed = [line["lead_id"] for line in context.get("lines", ())]
        for lead_id in [context.get("lead_id"), *listed, *context.get(UNLISTED, ())]:
            recent.by_lead[lead_id] = max(due_at, recent.by_lead.get(lead_id, due_at))
    return by_user


def _summarize(summarized: Mapping[int, Sequence[Arrival]], recent_alerts: Mapping[int, _RecentAlerts]) -> None:
    """Add arrivals (by user) to each user's summary that is due later, or to a new one."""
    unsent = outbox.lock_unsent(SUMMARY_KIND, summarized)
    for user_id, arrivals in summarized.items():
        summary = unsent.get(user_id)
        if summary is None:
            due_at = _find_next_summary_time(arrivals, recent_alerts[user_id])
            key = f"{SUMMARY_KIND}:{user_id}:{due_at:%Y%m%d%H%M%S%f}"
            context = _add_arrivals({}, arrivals)
            outbox.add(kind=SUMMARY_KIND, recipient_id=user_id, dedupe_key=key, context=context, not_before=due_at)
        else:
            summary.context = _add_arrivals(summary.context, arrivals)
            summary.save(update_fields=["context"])


def _find_next_summary_time(arrivals: Sequence[Arrival], recent: _RecentAlerts) -> datetime:
    """Return `SUMMARY_DELAY` from now, or later: `WINDOW` after the last summary and the last alerts of the leads."""
    earlier = [recent.by_lead[arrival.lead.pk] for arrival in arrivals if arrival.lead.pk in recent.by_lead]
    if recent.summary_at is not None:
        earlier.append(recent.summary_at)
    return max([timezone.now() + SUMMARY_DELAY, *(due_at + WINDOW for due_at in earlier)])


def _add_arrivals(context: Mapping[str, Any], arrivals: Sequence[Arrival]) -> dict[str, Any]:
    """Return the context of a summary with these arrivals added: one line, with a count, for each lead and kind."""
    lines = {(line["lead_id"], line["what"]): dict(line) for line in context.get("lines", ())}
    more, unlisted = context.get("more", 0), list(context.get(UNLISTED, ()))
    for arrival in arrivals:
        lead, key = arrival.lead, (arrival.lead.pk, arrival.kind)
        if key in lines:
            lines[key]["count"] += 1
        elif len(lines) < MAX_LISTED_LINES:
            lines[key] = {"lead_id": lead.pk, "lead_name": str(lead), "what": arrival.kind, "count": 1}
        else:
            more += 1
            unlisted.append(lead.pk)
    count = context.get("count", 0) + len(arrivals)
    return {"count": count, "lines": list(lines.values()), "more": more, UNLISTED: unlisted}
