"""What the tick does every minute for follow-ups: fill derived columns, and write due reminders to the outbox.

Both work in batches, one transaction each, and find by state alone what is left to do: a missed or killed tick costs
nothing but time.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from athena.accounts.models import User
from athena.db.bulk import IdIn
from notifications import outbox
from notifications.models import Notification
from sales import normalization
from sales.models import FollowUp, Lead
from sales.models.follow_ups.follow_up import is_before_today
from sales.models.leads.lead import NOT_NORMALISED
from sales.services import locks
from sales.services.follow_ups import planning
from sales.services.follow_ups.overdue import MAX_NOTICE_AGE
from sales.services.leads import search_index

MAX_ROWS_PER_FILL = 500
MAX_REMINDERS_PER_BATCH = 10_000
MAX_SNOOZE_DELAY = timedelta(hours=1)  # a snooze that is sent later than this counts as late
NUMBER_COLUMNS = {"due": "reminder_no", "snooze": "snooze_no"}  # prefix of a dedupe key: the column with its number


def send_due_reminders() -> int:
    """Write a notification for each reminder that is due, and mark it sent in the same transaction.

    A reminder that an overdue notice or the digest replaces is only marked. Returns the number of notifications.
    """
    total = 0
    while (count := _send_batch()) is not None:
        total += count
    return total


@transaction.atomic
def _send_batch() -> int | None:
    """Send some due reminders. Returns how many, or None if none is due. The number of statements is fixed."""
    now = timezone.now()
    archived = Lead.objects.filter(pk=OuterRef("lead"), archived_at__isnull=False)
    due = FollowUp.objects.open().filter(~Exists(archived), reminder_sent=False, remind_at__lte=now)
    locked = due.select_for_update(skip_locked=True).order_by("remind_at", "pk").values_list("pk", flat=True)
    keys = list(locked[:MAX_REMINDERS_PER_BATCH])
    if not keys:
        return None
    claimed = FollowUp.objects.filter(IdIn("pk", keys))
    dedupe_keys = {
        prefix: Concat(Value(f"{prefix}:"), "pk", Value(":"), column, output_field=CharField())
        for prefix, column in NUMBER_COLUMNS.items()
    }
    count = outbox.add_from(
        claimed.exclude(_is_replaced(now)),
        kind="follow_up_due",
        recipient="assigned_to",
        dedupe_key=Case(When(snoozed_until=None, then=dedupe_keys["due"]), default=dedupe_keys["snooze"]),
        context=planning.CONTEXT_EXPRESSION,
    )
    is_ahead = Q(plan_remind_at__gt=now)  # a snooze; the plan's own reminder is still to come
    claimed.update(
        reminder_sent=Case(When(is_ahead, then=False), default=True),
        remind_at=Case(When(is_ahead, then=F("plan_remind_at")), default=F("remind_at")),
        plan_remind_at=None,
        snoozed_until=None,
    )
    return count


def _is_replaced(now: datetime) -> Q:
    """Whether a due reminder is not sent, because something else tells of the follow-up by now.

    When the day is over, the overdue notice replaces the plan's reminder and a snooze that is late. What has been
    overdue for longer than `MAX_NOTICE_AGE` is in the digest.
    """
    is_plans_own = Q(snoozed_until=None)
    will_be_overdue = Q(late_when_planned=False, overdue_no__lt=F("reminder_no"))
    is_late_snooze = Q(snoozed_until__lt=now - MAX_SNOOZE_DELAY) & will_be_overdue
    return is_before_today() & (is_plans_own | is_late_snooze | Q(snoozed_until__lt=now - MAX_NOTICE_AGE))


def find_reminders(follow_up: FollowUp) -> "QuerySet[Notification]":
    """The reminders of a follow-up that were written so far, oldest first, with their deliveries."""
    return outbox.find_with_deliveries(
        f"{prefix}:{follow_up.pk}:{number}"
        for prefix, column in NUMBER_COLUMNS.items()
        for number in range(1, getattr(follow_up, column) + 1)
    )


def fill_derived_columns() -> int:
    """Fill the columns that services compute: due times, reminders, next dates, normalized contacts, search texts.

    Finds rows that plain SQL wrote, and follow-ups of people whose time zone or lead time has changed. Returns the
    number of filled rows.
    """
    filled = 0
    _clear_due_times_of_moved_people()
    while batch := _fill_follow_ups() + _fill_leads() + search_index.index_missing_leads(MAX_ROWS_PER_FILL):
        filled += batch
    return filled


@transaction.atomic
def _clear_due_times_of_moved_people() -> None:
    """Clear `due_at` of the open follow-ups of people whose time zone or lead time has changed, to be filled again.

    With a new zone each follow-up also gets a new version, which tells calendars of the change.
    """
    is_moved = ~Q(time_zone=F("settled_zone")) | ~Q(reminder_minutes=F("settled_minutes"))
    moved = User.objects.select_for_update(no_key=True).filter(is_moved)
    user_ids = [user.pk for user in moved.order_by("pk")]
    if user_ids:
        follow_ups = FollowUp.objects.open().filter(assigned_to__in=user_ids)
        in_other_zone = follow_ups.exclude(assigned_to__settled_zone="").exclude(
            assigned_to__settled_zone=F("assigned_to__time_zone")
        )
        in_other_zone.update(version=F("version") + 1, updated_at=timezone.now())
        follow_ups.update(due_at=None)
        User.objects.filter(pk__in=user_ids).update(settled_zone=F("time_zone"), settled_minutes=F("reminder_minutes"))


@transaction.atomic
def _fill_follow_ups() -> int:
    unfilled = FollowUp.objects.open().filter(due_at__isnull=True).order_by("pk")
    locks.lock_leads(sorted(set(unfilled.values_list("lead", flat=True)[:MAX_ROWS_PER_FILL])))
    rows = list(unfilled.select_for_update(of=("self",)).select_related("assigned_to")[:MAX_ROWS_PER_FILL])
    for row in rows:
        if row.first_scheduled_date is None:  # plain SQL wrote it
            row.first_scheduled_date = row.scheduled_date
            planning.set_due_times(row, planned_at=row.created_at)
        else:
            planning.update_due_times(row)
    columns = ("due_at", "remind_at", "plan_remind_at", "late_when_planned", "first_scheduled_date")
    FollowUp.objects.bulk_update(rows, columns)
    planning.refresh_next_dates(Lead.objects.filter(pk__in={row.lead_id for row in rows}))
    return len(rows)


@transaction.atomic
def _fill_leads() -> int:
    rows = list(Lead.objects.select_for_update(of=("self",)).filter(NOT_NORMALISED).order_by("pk")[:MAX_ROWS_PER_FILL])
    for row in rows:
        row.email_normalised = normalization.normalize_email(row.email)
        row.phone_normalised = normalization.normalize_phone(row.phone)
    Lead.objects.bulk_update(rows, ["email_normalised", "phone_normalised"])
    search_index.index_leads(rows)
    return len(rows)
