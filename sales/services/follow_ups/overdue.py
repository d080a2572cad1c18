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
from sales.models.follow_ups.follow_up import find_zones_by_date
from sales.services.follow_ups import planning

MAX_LEADS_PER_BATCH = 500
MAX_PEOPLE_PER_BATCH = 100  # with overdue follow-ups
MAX_LISTED = 20  # follow-ups in one message; the others are counted
LISTED_KEYS = ("follow_up_id", "follow_up_type", "when", "lead_id", "lead_name", "assignee")
MAX_NOTICE_AGE = timedelta(days=7)
Item = tuple[FollowUp, dict[str, Any]]  # an overdue follow-up, and its part of a notification's context


def send_overdue_notices() -> int:
    """Notify assignees, from 8 in the morning on their clock, of what was due the day before and is still open.

    Returns the number of follow-ups.
    """
    return _repeat(_send_overdue_batch)


def escalate_to_managers() -> int:
    """Notify managers of overdue follow-ups and of hot leads without a contact.

    A follow-up is reported after `ESCALATE_OVERDUE_DAYS` working days, a hot lead after `ESCALATE_HOT_HOURS` hours.
    Returns the number of follow-ups and leads.
    """
    return _repeat(_escalate_overdue_batch) + _repeat(_escalate_hot_batch)


def _repeat(run_batch: Callable[[], int]) -> int:
    total = 0
    while count := run_batch():
        total += count
    return total


@transaction.atomic
def _send_overdue_batch() -> int:
    follow_ups = _lock_overdue(lambda today: today, overdue_no__lt=F("reminder_no"))
    items_by_assignee: dict[int, list[Item]] = {}
    for follow_up in follow_ups:
        item = (follow_up, planning.build_context(follow_up))
        items_by_assignee.setdefault(follow_up.assigned_to_id, []).append(item)
    outbox.add_many(
        _build_notification("follow_up_overdue", assignee_id, f"overdue:{_get_key(items)}", items)
        for assignee_id, items in items_by_assignee.items()
    )
    return _mark(follow_ups, "overdue_no")


@transaction.atomic
def _escalate_overdue_batch() -> int:
    days = settings.ESCALATE_OVERDUE_DAYS
    if not days:
        return 0

    def get_first_date_to_keep(today: date) -> date:
        return schedule.subtract_working_days(today, days) + timedelta(days=1)

    follow_ups = _lock_overdue(get_first_date_to_keep, escalated_no__lt=F("reminder_no"))
    managers = _Managers()
    items_by_manager: dict[int, list[Item]] = {}
    for follow_up in follow_ups:
        details = {"assignee": str(follow_up.assigned_to), "days": days}
        for manager_id in managers.find_for(follow_up.assigned_to):
            context = planning.build_context(follow_up, managers.zones[manager_id]) | details
            items_by_manager.setdefault(manager_id, []).append((follow_up, context))
    outbox.add_many(
        _build_notification("escalation_overdue", manager_id, f"escalated:{_get_key(items)}:{manager_id}", items)
        for manager_id, items in items_by_manager.items()
    )
    return _mark(follow_ups, "escalated_no")


def _mark(follow_ups: list[FollowUp], column: str) -> int:
    """Record in `column` the plan (`reminder_no`) of each follow-up that was just reported. Returns their number."""
    rows = FollowUp.objects.filter(IdIn("pk", [follow_up.pk for follow_up in follow_ups]))
    return rows.update(**{column: F("reminder_no")})


def _get_key(items: list[Item]) -> str:
    """The part of a dedupe key that names the first follow-up of a message and its plan."""
    follow_up, _ = items[0]
    return f"{follow_up.pk}:{follow_up.reminder_no}"


def _build_notification(kind: str, recipient_id: int, key: str, items: list[Item]) -> outbox.NewNotification:
    """One notification for everything that is overdue for one person: a single follow-up or a list, oldest first."""
    if len(items) == 1:
        return outbox.NewNotification(kind, recipient_id, key, items[0][1])
    listed = [
        {name: context[name] for name in LISTED_KEYS if name in context} | {"reminder_no": follow_up.reminder_no}
        for follow_up, context in items[:MAX_LISTED]
    ]
    unlisted = [(follow_up.pk, follow_up.reminder_no) for follow_up, _ in items[MAX_LISTED:]]
    context = {"count": len(items), "follow_ups": listed, UNLISTED: unlisted}
    return outbox.NewNotification(kind, recipient_id, key, context)


def _lock_overdue(get_end_date: Callable[[date], date], **not_reported: F) -> list[FollowUp]:
    """Lock and return the open follow-ups before `get_end_date(today)` that are not reported yet, for some assignees.

    "Today" begins at 8 in the morning of the assignee. What was already overdue when it was planned is not reported.
    """
    is_overdue = Q(pk__in=())
    for today, zones in find_zones_by_date(day_starts_after=schedule.OVERDUE_NOTICE_OFFSET).items():
        end = get_end_date(today)
        is_overdue |= Q(
            scheduled_date__lt=end, scheduled_date__gte=end - MAX_NOTICE_AGE, assigned_to__time_zone__in=zones
        )
    rows = FollowUp.objects.open().filter(
        is_overdue, late_when_planned=False, due_at__isnull=False, lead__archived_at__isnull=True, **not_reported
    )
    assignees = rows.order_by("assigned_to").values_list("assigned_to", flat=True).distinct()
    return list(
        rows.filter(assigned_to__in=list(assignees[:MAX_PEOPLE_PER_BATCH]))
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
        .alias(score_then=Subquery(history.order_by("-changed_at", "-pk").values("new_score")[:1]))
        .filter(score_then__gte=settings.HOT_SCORE)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("assigned_to")
        .order_by("pk")[:MAX_LEADS_PER_BATCH]
    )
    managers = _Managers()
    outbox.add_many(
        outbox.NewNotification(
            kind="escalation_hot",
            recipient_id=manager_id,
            dedupe_key=f"hot:{lead.pk}:{manager_id}",
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
        for manager_id in managers.find_for(lead.assigned_to)
    )
    return Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(hot_escalated_at=now)


class _Managers:
    """Finds the managers of a user: the active managers of their team, else those without a team, else administrators.

    One query for any number of users. `zones` has the time zone of each manager, by id.
    """

    def __init__(self) -> None:
        users = list(User.objects.filter(is_active=True, role__in=(Role.MANAGER, Role.ADMIN)).order_by("pk"))
        self.zones = {user.pk: user.zone for user in users}
        self._managers = [user for user in users if user.role == Role.MANAGER]
        self._admins = [user for user in users if user.role == Role.ADMIN]

    def find_for(self, user: User | None) -> list[int]:
        """The ids of the managers of `user`, never `user` themself; for None, of nobody's team."""
        team_id = user.team_id if user is not None else None
        of_team = [manager for manager in self._managers if manager.team_id is not None and manager.team_id == team_id]
        without_team = [manager for manager in self._managers if manager.team_id is None]
        managers = of_team or without_team or self._admins
        return [manager.pk for manager in managers if user is None or manager.pk != user.pk]
