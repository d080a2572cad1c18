"""The minute's work: fill in what plain SQL left out, and turn due reminders into rows of the outbox.

Both take batches, each one transaction, and find by state alone what is left to do: a missed or killed tick costs
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
from sales.models.follow_up import is_before_today
from sales.models.lead import NOT_NORMALISED
from sales.services import locks
from sales.services.follow_ups import planning
from sales.services.follow_ups.overdue import MAX_NOTICE_AGE
from sales.services.leads import search_index

MAX_ROWS_PER_FILL = 500
MAX_REMINDERS_PER_BATCH = 10_000
MAX_SNOOZE_DELAY = timedelta(hours=1)  # a snooze that comes later than that, comes late
NUMBER_COLUMNS = {
    "due": "reminder_no",
    "snooze": "snooze_no",
}  # of what is told: the word, and the column whose number it has


def send_due_reminders() -> int:
    """Write an outbox row for each reminder whose time has come, and mark it sent in the same transaction.

    What is told otherwise by now is marked and not told. Returns how many were told.
    """
    total = 0
    while (batch := _claim_batch()) is not None:
        total += batch
    return total


@transaction.atomic
def _claim_batch() -> int | None:
    """How many were told; None when nothing was left. A fixed number of statements: texts are put together where the
    rows lie."""
    now = timezone.now()
    archived = Lead.objects.filter(pk=OuterRef("lead"), archived_at__isnull=False)
    due = FollowUp.objects.open().filter(~Exists(archived), reminder_sent=False, remind_at__lte=now)
    locked = due.select_for_update(skip_locked=True).order_by("remind_at", "pk").values_list("pk", flat=True)
    keys = list(locked[:MAX_REMINDERS_PER_BATCH])
    if not keys:
        return None
    claimed = FollowUp.objects.filter(IdIn("pk", keys))
    key_of = {word: Concat(Value(f"{word}:"), "pk", Value(":"), number, output_field=CharField())
              for word, number in NUMBER_COLUMNS.items()}  # fmt: skip
    count = outbox.add_from(
        claimed.exclude(_is_told_otherwise(now)),
        kind="follow_up_due",
        recipient="assigned_to",
        dedupe_key=Case(When(snoozed_until=None, then=key_of["due"]), default=key_of["snooze"]),
        context=planning.CONTEXT_EXPRESSION,
    )
    is_ahead = Q(plan_remind_at__gt=now)  # the snooze came before the plan's own reminder
    claimed.update(
        reminder_sent=Case(When(is_ahead, then=False), default=True),
        remind_at=Case(When(is_ahead, then=F("plan_remind_at")), default=F("remind_at")),
        plan_remind_at=None,
        snoozed_until=None,
    )
    return count


def _is_told_otherwise(now: datetime) -> Q:
    """Whose time passed while nothing ran, and of which something else tells by now.

    When the day is over the notice that it is overdue takes the reminder's place, and that of a snooze that comes late;
    what has been late for longer than `MAX_NOTICE_AGE` is in the digest.
    """
    is_plans_own = Q(snoozed_until=None)
    will_be_overdue = Q(late_when_planned=False, overdue_no__lt=F("reminder_no"))
    is_late_snooze = Q(snoozed_until__lt=now - MAX_SNOOZE_DELAY) & will_be_overdue
    return is_before_today() & (is_plans_own | is_late_snooze | Q(snoozed_until__lt=now - MAX_NOTICE_AGE))


def find_reminders(follow_up: FollowUp) -> "QuerySet[Notification]":
    """Each reminder of this follow-up that was written, with its deliveries, the first one first."""
    return outbox.find_with_deliveries(
        f"{word}:{follow_up.pk}:{number}"
        for word, column in NUMBER_COLUMNS.items()
        for number in range(1, getattr(follow_up, column) + 1)
    )


def fill_derived_columns() -> int:
    """Work out what services would have: due times and reminders, next dates, normalised e-mail and phone, and
    what leads are found by.

    Finds rows that plain SQL wrote, and those of people whose time zone or lead time has changed. Returns how many rows
    it filled.
    """
    filled = 0
    _unsettle_moved_people()
    while batch := _fill_follow_ups() + _fill_leads() + search_index.index_missing_leads(MAX_ROWS_PER_FILL):
        filled += batch
    return filled


@transaction.atomic
def _unsettle_moved_people() -> None:
    """Somebody's zone or lead time changed: their open follow-ups are due, or reminded of, at other instants now.

    Calendars learn of a changed zone by the follow-ups' versions.
    """
    is_moved = ~Q(time_zone=F("settled_zone")) | ~Q(reminder_minutes=F("settled_minutes"))
    moved = User.objects.select_for_update(no_key=True).filter(is_moved)
    ids = [user.pk for user in moved.order_by("pk")]
    if ids:
        theirs = FollowUp.objects.open().filter(assigned_to__in=ids)
        in_other_zone = theirs.exclude(assigned_to__settled_zone="").exclude(
            assigned_to__settled_zone=F("assigned_to__time_zone")
        )
        in_other_zone.update(version=F("version") + 1, updated_at=timezone.now())
        theirs.update(due_at=None)
        User.objects.filter(pk__in=ids).update(settled_zone=F("time_zone"), settled_minutes=F("reminder_minutes"))


@transaction.atomic
def _fill_follow_ups() -> int:
    todo = FollowUp.objects.open().filter(due_at__isnull=True).order_by("pk")
    locks.lock_leads(sorted(set(todo.values_list("lead", flat=True)[:MAX_ROWS_PER_FILL])))
    rows = list(todo.select_for_update(of=("self",)).select_related("assigned_to")[:MAX_ROWS_PER_FILL])
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
