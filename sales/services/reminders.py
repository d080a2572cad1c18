"""The minute's work: fill in what plain SQL left out, and turn due reminders into rows of the outbox.

Both take batches, each one transaction, and find by state alone what is left to do: a missed or killed tick costs
nothing but time.
"""

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from athena.accounts.models import User
from athena.db.bulk import AmongKeys
from notifications import outbox
from notifications.models import Notification
from sales import normalise
from sales.models import FollowUp, Lead
from sales.models.lead import NOT_NORMALISED
from sales.services import locks, planning, search

BATCH, CLAIMED = 500, 10_000


def claim_due() -> int:
    """Write an outbox row for each reminder whose time has come, and mark it sent in the same transaction."""
    claimed = 0
    while batch := _claim_batch():
        claimed += batch
    return claimed


@transaction.atomic
def _claim_batch() -> int:
    """A fixed number of statements: what is told is put together where it lies."""
    archived = Lead.objects.filter(pk=OuterRef("lead"), archived_at__isnull=False)
    due = FollowUp.objects.open().filter(~Exists(archived), reminder_sent=False, remind_at__lte=timezone.now())
    locked = due.select_for_update(skip_locked=True).order_by("remind_at", "pk").values_list("pk", flat=True)
    keys = list(locked[:CLAIMED])
    if not keys:
        return 0
    claimed = FollowUp.objects.filter(AmongKeys("pk", keys))
    outbox.add_from(
        claimed,
        kind="follow_up_due",
        recipient="assigned_to",
        dedupe_key=Concat(Value("due:"), "pk", Value(":"), "reminder_no", output_field=CharField()),
        context=planning.TOLD,
    )
    return claimed.update(reminder_sent=True)


def told(follow_up: FollowUp) -> "QuerySet[Notification]":
    """Each reminder of this follow-up that was written, with its deliveries, the first one first."""
    return outbox.fate(f"due:{follow_up.pk}:{number}" for number in range(1, follow_up.reminder_no + 1))


def fill_derived() -> int:
    """Work out what services would have: due times and reminders, next dates, normalised e-mail and phone, and
    what leads are found by.

    Finds rows that plain SQL wrote, and those of people whose time zone has changed. Returns how many rows it filled.
    """
    filled = 0
    _unsettle_moved_people()
    while batch := _fill_follow_ups() + _fill_leads() + search.fill(BATCH):
        filled += batch
    return filled


@transaction.atomic
def _unsettle_moved_people() -> None:
    """Somebody's zone changed: their open follow-ups are due at other instants now, which calendars must learn of."""
    moved = User.objects.select_for_update(no_key=True).filter(~Q(time_zone=F("settled_zone")))
    ids = [user.pk for user in moved.order_by("pk")]
    if ids:
        theirs = FollowUp.objects.open().filter(assigned_to__in=ids)
        theirs.exclude(assigned_to__settled_zone="").update(version=F("version") + 1, updated_at=timezone.now())
        theirs.update(due_at=None)
        User.objects.filter(pk__in=ids).update(settled_zone=F("time_zone"))


@transaction.atomic
def _fill_follow_ups() -> int:
    todo = FollowUp.objects.open().filter(due_at__isnull=True).order_by("pk")
    locks.lock_leads(sorted(set(todo.values_list("lead", flat=True)[:BATCH])))
    rows = list(todo.select_for_update(of=("self",)).select_related("assigned_to")[:BATCH])
    for row in rows:
        planning.set_due(row)
        row.first_scheduled_date = row.first_scheduled_date or row.scheduled_date
    FollowUp.objects.bulk_update(rows, ["due_at", "remind_at", "first_scheduled_date"])
    planning.refresh_next_dates(Lead.objects.filter(pk__in={row.lead_id for row in rows}))
    return len(rows)


@transaction.atomic
def _fill_leads() -> int:
    rows = list(Lead.objects.select_for_update(of=("self",)).filter(NOT_NORMALISED).order_by("pk")[:BATCH])
    for row in rows:
        row.email_normalised = normalise.email(row.email)
        row.phone_normalised = normalise.phone(row.phone)
    Lead.objects.bulk_update(rows, ["email_normalised", "phone_normalised"])
    search.index(rows)
    return len(rows)
