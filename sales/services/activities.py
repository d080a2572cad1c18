"""Logging what happened to a lead, and correcting what was logged wrongly."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, policy
from sales.models import Activity, FieldChange, FollowUp, Lead
from sales.services import cadences, locks, scoring

LOGGABLE = (
    Activity.Type.CALL,
    Activity.Type.EMAIL,
    Activity.Type.MEETING,
    Activity.Type.NOTE,
    Activity.Type.QUOTE,
    Activity.Type.QUOTE_REQUESTED,
    Activity.Type.OTHER,
)
CONTACT = (Activity.Type.CALL, Activity.Type.EMAIL, Activity.Type.MEETING, Activity.Type.QUOTE)
CORRECTABLE = ("activity_type", "direction", "description", "notes", "occurred_at")
CLOCK_SKEW = timedelta(minutes=5)


@transaction.atomic
def log(
    *,
    by: User | None,
    lead_id: int,
    activity_type: str,
    direction: str | None = None,
    description: str = "",
    notes: str = "",
    data: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> Activity:
    """Log what somebody did or heard, now or earlier, and rescore the lead.

    Raises `NotFound`, `NotYourLead`, and `Invalid` for the system's own types and for times to come.
    """
    lead = locks.visible_lead(by, lead_id)
    policy.require_write_lead(by, lead)
    _check(activity_type, occurred_at)
    activity = write(
        lead=lead,
        by=by,
        activity_type=activity_type,
        direction=direction,
        description=description,
        notes=notes,
        data=data,
        occurred_at=occurred_at,
    )
    touch(lead, activity)
    scoring.rescore(lead_ids=[lead.pk], by=by, reason=f"Activity: {activity}", activity_id=activity.pk)
    return activity


@transaction.atomic
def correct(*, by: User | None, activity_id: int, changes: Mapping[str, Any]) -> Activity:
    """Put right what was logged wrongly, and rescore the lead. Its author does, or a manager who can see it.

    What it said before stays in the lead's story: a `FieldChange` of the field "activity", with the old and the new
    values. Raises `NotFound`, `NotYourActivity`, `Invalid`; `NotByHand` for what Athena wrote itself.
    """
    activity, lead = locks.visible_activity(by, activity_id)
    policy.require_correct_activity(by, activity)
    if activity.activity_type not in LOGGABLE or activity.follow_up_id is not None:
        raise errors.NotByHand
    unknown = set(changes) - set(CORRECTABLE)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "This can't be changed."))
    before = {name: getattr(activity, name) for name in CORRECTABLE}
    was = str(activity)
    changed = [name for name in CORRECTABLE if name in changes and changes[name] != before[name]]
    if not changed:
        return activity
    for name in changed:
        setattr(activity, name, changes[name])
    _check(activity.activity_type, activity.occurred_at)
    activity.save(update_fields=changed)
    old, new = ({name: _plain(values[name]) for name in changed} for values in (before, changes))
    about = {"id": activity.pk, "was": was}
    FieldChange.objects.create(lead=lead, field="activity", old=about | old, new=about | new, by=by)
    _retouch(lead, before["occurred_at"])
    scoring.rescore(lead_ids=[lead.pk], by=by, reason=f"Corrected: {activity}"[:255], activity_id=activity.pk)
    return activity


def write(
    *,
    lead: Lead,
    by: User | None,
    activity_type: str,
    direction: str | None = None,
    description: str = "",
    notes: str = "",
    data: Mapping[str, Any] | None = None,
    follow_up: FollowUp | None = None,
    occurred_at: datetime | None = None,
) -> Activity:
    """The row of the log alone, inside the caller's transaction: no rights are asked, nothing else is touched."""
    return Activity.objects.create(
        lead=lead,
        user=by,
        activity_type=activity_type,
        direction=direction,
        description=description,
        notes=notes,
        data=dict(data or {}),
        follow_up=follow_up,
        occurred_at=occurred_at or timezone.now(),
    )


def touch(lead: Lead, activity: Activity, **columns: Any) -> None:
    """Let the (locked) lead know of its newest activity, with whatever other columns change at the same time.

    Whoever answers is on no cadence any longer.
    """
    if activity.direction == Activity.Direction.INBOUND:
        cadences.end(Lead.objects.filter(pk=lead.pk), reason="The lead answered")
    if activity.activity_type in CONTACT and activity.direction == Activity.Direction.OUTBOUND:
        columns["first_contacted_at"] = Least(
            Coalesce("first_contacted_at", Value(activity.occurred_at)), Value(activity.occurred_at)
        )
    Lead.objects.filter(pk=lead.pk).update(
        last_activity_at=Greatest(
            Coalesce("last_activity_at", Value(activity.occurred_at)), Value(activity.occurred_at)
        ),
        version=F("version") + 1,
        updated_at=timezone.now(),
        **columns,
    )


def _check(activity_type: str, occurred_at: datetime | None) -> None:
    """That this can be logged by hand. Raises `Invalid`."""
    if activity_type not in LOGGABLE:
        raise errors.Invalid({"activity_type": "This type can't be logged by hand."})
    if occurred_at is not None and occurred_at > timezone.now() + CLOCK_SKEW:
        raise errors.Invalid({"occurred_at": "This time is still to come."})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _retouch(lead: Lead, was_at: datetime) -> None:
    """Let the (locked) lead know what its log says now that the activity of `was_at` says something else."""
    log = Activity.objects.filter(lead=lead)
    last = log.exclude(activity_type__in=(Activity.Type.TRANSFER, Activity.Type.STATUS_CHANGE))
    first = log.filter(activity_type__in=CONTACT, direction=Activity.Direction.OUTBOUND).aggregate(
        at=Min("occurred_at")
    )
    reached = Q(new="contacted") | Q(new="qualified") | Q(new="quoted") | Q(new="won")
    said = FieldChange.objects.filter(reached, lead=lead, field="status").aggregate(at=Min("at"))
    contacts = [at for at in (first["at"], said["at"]) if at is not None]
    if lead.first_contacted_at not in (None, was_at):  # something else said when they were first contacted
        contacts.append(lead.first_contacted_at)
    Lead.objects.filter(pk=lead.pk).update(
        last_activity_at=last.aggregate(at=Max("occurred_at"))["at"],
        first_contacted_at=min(contacts, default=None),
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
