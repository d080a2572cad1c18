"""Logging what happened to a lead, and correcting what was logged wrongly."""

from collections.abc import Mapping
from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, policy
from sales.models import Activity, FieldChange, FollowUp, Lead
from sales.services import locks
from sales.services.follow_ups import cadences
from sales.services.leads import sale_progress
from sales.services.scoring import scores

LOGGABLE_TYPES = (
    Activity.Type.CALL,
    Activity.Type.EMAIL,
    Activity.Type.MEETING,
    Activity.Type.NOTE,
    Activity.Type.QUOTE,
    Activity.Type.QUOTE_REQUESTED,
    Activity.Type.OTHER,
)
CORRECTABLE_FIELDS = ("activity_type", "direction", "description", "notes", "occurred_at")
QUOTE_FIELDS = ("amount", "valid_until")  # of a quote alone; they stand in the activity's `data`
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
    amount: Decimal | None = None,
    valid_until: date | None = None,
) -> Activity:
    """Log what somebody did or heard, now or earlier, let the lead come as far as that says, and rescore it.

    A contact makes a new lead `contacted`; a quote makes an open one `quoted`, for `amount` until `valid_until`.
    Raises `NotFound`, `NotYourLead`, and `Invalid` for the system's own types, for times to come, and for an amount or
    a validity of what is no quote.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    _check(activity_type, occurred_at)
    quote = sale_progress.build_quote_data(activity_type, amount, valid_until)
    activity = write_activity(
        lead=lead,
        by=by,
        activity_type=activity_type,
        direction=direction,
        description=description,
        notes=notes,
        data={**(data or {}), **quote},
        occurred_at=occurred_at,
    )
    apply_to_lead(lead, activity)
    scores.rescore(lead_ids=[lead.pk], by=by, reason=f"Activity: {activity}", activity_id=activity.pk)
    return activity


@transaction.atomic
def correct(*, by: User | None, activity_id: int, changes: Mapping[str, Any]) -> Activity:
    """Put right what was logged wrongly, and rescore the lead. Its author does, or a manager who can see it.

    What followed from it for the lead follows the correction; what a person has set since
    stays. `amount` and `valid_until` can be corrected, too, and are dropped from what is no quote any more. What it
    said before stays in the lead's story: a `FieldChange` of the field "activity", with the old and the new values.
    Raises `NotFound`, `NotYourActivity`, `Invalid`; `NotByHand` for what Athena wrote itself.
    """
    activity, lead = locks.lock_visible_activity(by, activity_id)
    policy.check_may_correct_activity(by, activity)
    if activity.activity_type not in LOGGABLE_TYPES or activity.follow_up_id is not None:
        raise errors.NotLoggedByHand
    unknown = set(changes) - {*CORRECTABLE_FIELDS, *QUOTE_FIELDS}
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "This can't be changed."))
    before = copy(activity)
    for name in changes.keys() - set(QUOTE_FIELDS):
        setattr(activity, name, changes[name])
    _check(activity.activity_type, activity.occurred_at)
    activity.data = _data(activity, changes)
    old, new = _said(before), _said(activity)
    changed = [name for name in new if old[name] != new[name]]
    if not changed:
        return activity
    activity.save(update_fields=[*CORRECTABLE_FIELDS, "data"])
    about = {"id": activity.pk, "was": str(before)}
    old, new = ({name: _plain(said[name]) for name in changed} for said in (old, new))
    FieldChange.objects.create(lead=lead, field="activity", old=about | old, new=about | new, by=by)
    _retouch(lead, activity, before, by)
    scores.rescore(lead_ids=[lead.pk], by=by, reason=f"Corrected: {activity}"[:255], activity_id=activity.pk)
    return activity


def write_activity(
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
    now = timezone.now()
    return Activity.objects.create(
        lead=lead,
        user=by,
        activity_type=activity_type,
        direction=direction,
        description=description,
        notes=notes,
        data=dict(data or {}),
        follow_up=follow_up,
        occurred_at=occurred_at or now,
        created_at=now,
    )


def apply_to_lead(lead: Lead, activity: Activity, **columns: Any) -> None:
    """Let the (locked) lead know of its newest activity, with whatever other columns change at the same time.

    Whoever answers is on no cadence any longer; whoever was contacted or sent a quote has come so far.
    """
    if activity.direction == Activity.Direction.INBOUND:
        cadences.end(Lead.objects.filter(pk=lead.pk), reason="The lead answered")
    columns |= sale_progress.advance_lead(lead, activity, activity.user)
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
    if activity_type not in LOGGABLE_TYPES:
        raise errors.Invalid({"activity_type": "This type can't be logged by hand."})
    if occurred_at is not None and occurred_at > timezone.now() + CLOCK_SKEW:
        raise errors.Invalid({"occurred_at": "This time is still to come."})


def _data(activity: Activity, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The activity's data with these changes; without a quote's where it is none. Raises `Invalid`."""
    rest = {name: value for name, value in activity.data.items() if name not in QUOTE_FIELDS}
    is_quote = activity.activity_type == Activity.Type.QUOTE
    known = sale_progress.parse_quote(activity.data) if is_quote else {}
    quote = {name: changes.get(name, known.get(name)) for name in QUOTE_FIELDS}
    return rest | sale_progress.build_quote_data(activity.activity_type, **quote)


def _said(activity: Activity) -> dict[str, Any]:
    """What can be corrected of it."""
    return {name: getattr(activity, name) for name in CORRECTABLE_FIELDS} | {
        name: activity.data.get(name) for name in QUOTE_FIELDS
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _retouch(lead: Lead, activity: Activity, before: Activity, by: User | None) -> None:
    """Let the (locked) lead know what its log says now that this activity says something else."""
    system = (Activity.Type.TRANSFER, Activity.Type.STATUS_CHANGE)
    last = Activity.objects.filter(lead=lead).exclude(activity_type__in=system).aggregate(at=Max("occurred_at"))
    Lead.objects.filter(pk=lead.pk).update(
        **sale_progress.apply_correction(lead, activity, before, by),
        last_activity_at=last["at"],
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
