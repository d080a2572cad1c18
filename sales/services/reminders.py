"""The minute's work: fill in what plain SQL left out, and turn due reminders into rows of the outbox.

Both take batches, each one transaction, and find by state alone what is left to do: a missed or killed tick costs
nothing but time.
"""

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from athena.accounts.models import User
from notifications import outbox
from sales import normalise
from sales.models import FollowUp, Lead
from sales.models.lead import NOT_NORMALISED
from sales.services import locks, planning, search

BATCH = 500


def claim_due() -> int:
    """Write an outbox row for each reminder whose time has come, and mark it sent in the same transaction."""
    claimed = 0
    while batch := _claim_batch():
        claimed += batch
    return claimed


@transaction.atomic
def _claim_batch() -> int:
    due = list(
        FollowUp.objects.open()
        .filter(reminder_sent=False, remind_at__lte=timezone.now(), lead__archived_at__isnull=True)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("lead")
        .order_by("remind_at", "pk")[:BATCH]
    )
    outbox.add_many(
        outbox.Message(
            kind="follow_up_due",
            recipient_id=follow_up.assigned_to_id,
            dedupe_key=f"due:{follow_up.pk}:{follow_up.reminder_no}",
            context=planning.told(follow_up),
        )
        for follow_up in due
    )
    return FollowUp.objects.filter(pk__in=[follow_up.pk for follow_up in due]).update(reminder_sent=True)


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
    """Somebody's zone changed: their open follow-ups are due at other instants now."""
    moved = User.objects.select_for_update(no_key=True).filter(~Q(time_zone=F("settled_zone")))
    ids = [user.pk for user in moved.order_by("pk")]
    if ids:
        FollowUp.objects.open().filter(assigned_to__in=ids).update(due_at=None)
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
