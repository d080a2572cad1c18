"""Overdue notices: to the assignee on the morning after, and to managers if nothing is done for some days.

A follow-up is reported once for each plan (`reminder_no`), and one person gets one message for everything that is
overdue. Work is done in batches, one transaction each, so a missed or killed tick costs nothing but time. What has been
overdue for longer than `MAX_NOTICE_AGE` is in the digest only: days without a worker, or a year of old follow-ups, do
not become a flood of messages.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from athena.accounts.models import User
from athena.accounts.roles import Role
from athena.db.bulk import IdIn
from notifications import outbox
from notifications.kinds import UNLISTED
from sales import schedule
from sales.models import FollowUp, Lead, LeadScoreHistory
from sales.models.follow_up import find_zones_by_date
from sales.services.follow_ups import planning

MAX_LEADS_PER_BATCH = 500
MAX_PEOPLE_PER_BATCH = 100  # with overdue follow-ups
MAX_LISTED = 20  # of what is late, in one message; the others are counted
LISTED_KEYS = ("follow_up_id", "follow_up_type", "when", "lead_id", "lead_name", "assignee")
MAX_NOTICE_AGE = timedelta(days=7)
Item = tuple[FollowUp, dict[str, Any]]  # what is late, and what is told of it


def send_overdue_notices() -> int:
    """Tell assignees, at 8 on their clock, what they have not done the day before. Returns how many it told."""
    return _repeat(_remind_batch)


def escalate_to_managers() -> int:
    """Tell managers of follow-ups that have been overdue for `ESCALATE_OVERDUE_DAYS` working days, and of hot leads
    that nobody has contacted for `ESCALATE_HOT_HOURS` hours. Returns how many it told of."""
    return _repeat(_escalate_overdue_batch) + _repeat(_escalate_hot_batch)


def _repeat(batch: Callable[[], int]) -> int:
    told = 0
    while found := batch():
        told += found
    return told


@transaction.atomic
def _remind_batch() -> int:
    late = _late(lambda today: today, overdue_no__lt=F("reminder_no"))
    by_assignee: dict[int, list[Item]] = {}
    for follow_up in late:
        by_assignee.setdefault(follow_up.assigned_to_id, []).append((follow_up, planning.build_context(follow_up)))
    outbox.add_many(
        _message("follow_up_overdue", recipient, f"overdue:{_number(items)}", items)
        for recipient, items in by_assignee.items()
    )
    return FollowUp.objects.filter(IdIn("pk", [each.pk for each in late])).update(overdue_no=F("reminder_no"))


@transaction.atomic
def _escalate_overdue_batch() -> int:
    days = settings.ESCALATE_OVERDUE_DAYS
    if not days:
        return 0
    late = _late(
        lambda today: schedule.subtract_working_days(today, days) + timedelta(days=1), escalated_no__lt=F("reminder_no")
    )
    bosses = _Bosses()
    by_boss: dict[int, list[Item]] = {}
    for follow_up in late:
        about = {"assignee": str(follow_up.assigned_to), "days": days}
        for boss in bosses.of(follow_up.assigned_to):
            context = planning.build_context(follow_up, bosses.zones[boss]) | about
            by_boss.setdefault(boss, []).append((follow_up, context))
    outbox.add_many(
        _message("escalation_overdue", boss, f"escalated:{_number(items)}:{boss}", items)
        for boss, items in by_boss.items()
    )
    return FollowUp.objects.filter(IdIn("pk", [each.pk for each in late])).update(escalated_no=F("reminder_no"))


def _number(items: list[Item]) -> str:
    """What the key of a message says: the first of what it tells of, and which plan of it that was."""
    first, _ = items[0]
    return f"{first.pk}:{first.reminder_no}"


def _message(kind: str, recipient: int, key: str, items: list[Item]) -> outbox.NewNotification:
    """One message for all that is late for one person: of a single follow-up, or a list of them, the oldest first."""
    if len(items) == 1:
        return outbox.NewNotification(kind, recipient, key, items[0][1])
    shown = [
        {name: context[name] for name in LISTED_KEYS if name in context} | {"reminder_no": follow_up.reminder_no}
        for follow_up, context in items[:MAX_LISTED]
    ]
    unlisted = [(follow_up.pk, follow_up.reminder_no) for follow_up, _ in items[MAX_LISTED:]]
    context = {"count": len(items), "follow_ups": shown, UNLISTED: unlisted}
    return outbox.NewNotification(kind, recipient, key, context)


def _late(before: Callable[[date], date], **untold: F) -> list[FollowUp]:
    """Open follow-ups of a day before `before(today)`, locked: all of some people's. Today begins at 8 in the morning
    of the assignee.

    What was planned for a day that was over already is nobody's to be told of.
    """
    days = find_zones_by_date(day_starts_after=schedule.OVERDUE_NOTICE_OFFSET)
    late = Q(pk__in=())
    for today, zones in days.items():
        first = before(today)
        late |= Q(
            scheduled_date__lt=first, scheduled_date__gte=first - MAX_NOTICE_AGE, assigned_to__time_zone__in=zones
        )
    rows = FollowUp.objects.open().filter(
        late, late_when_planned=False, due_at__isnull=False, lead__archived_at__isnull=True, **untold
    )
    people = list(rows.order_by("assigned_to").values_list("assigned_to", flat=True).distinct()[:MAX_PEOPLE_PER_BATCH])
    return list(
        rows.filter(assigned_to__in=people)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("lead", "assigned_to")
        .order_by("scheduled_date", "pk")
    )


@transaction.atomic
def _escalate_hot_batch() -> int:
    hours = settings.ESCALATE_HOT_HOURS
    if not hours:
        return 0
    now = timezone.now()
    since = now - timedelta(hours=hours)
    history = LeadScoreHistory.objects.filter(lead=OuterRef("pk"), changed_at__lte=since)
    leads = list(
        Lead.objects.hot_and_uncontacted()
        .filter(hot_escalated_at__isnull=True, created_at__gte=since - MAX_NOTICE_AGE, created_at__lte=since)
        .alias(was=Subquery(history.order_by("-changed_at", "-pk").values("new_score")[:1]))
        .filter(was__gte=settings.HOT_SCORE)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("assigned_to")
        .order_by("pk")[:MAX_LEADS_PER_BATCH]
    )
    bosses = _Bosses()
    outbox.add_many(
        outbox.NewNotification(
            kind="escalation_hot",
            recipient_id=boss,
            dedupe_key=f"hot:{lead.pk}:{boss}",
            context={
                "lead_id": lead.pk,
                "lead_name": str(lead),
                "score": lead.score,
                "hours": hours,
                "phone": lead.phone,
                "email": lead.email,
                "assignee": str(lead.assigned_to) if lead.assigned_to else "",
            },
        )
        for lead in leads
        for boss in bosses.of(lead.assigned_to)
    )
    return Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(hot_escalated_at=now)


class _Bosses:
    """Who answers for somebody: the active managers of their team; else those in no team; else administrators."""

    def __init__(self) -> None:
        people = User.objects.filter(is_active=True, role__in=(Role.MANAGER, Role.ADMIN)).order_by("pk")
        self._people = [(person.pk, person.role, person.team_id) for person in people]
        self.zones = {person.pk: person.zone for person in people}

    def of(self, person: User | None) -> list[int]:
        team = person.team_id if person is not None else None
        managers = [(pk, its) for pk, role, its in self._people if role == Role.MANAGER]
        found = [pk for pk, its in managers if its is not None and its == team]
        found = found or [pk for pk, its in managers if its is None]
        found = found or [pk for pk, role, _ in self._people if role == Role.ADMIN]
        return [pk for pk in found if person is None or pk != person.pk]
