"""Logs activities of leads and corrects them."""

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
from sales.models.leads.activity import to_json_value
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
QUOTE_FIELDS = ("amount", "valid_until")  # only of quotes; stored in the activity's `data`
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
    """Log an activity of a lead, update the lead's status and quote by it, and rescore the lead.

    An outbound contact makes a new lead `contacted`. A quote makes an open lead `quoted`, for `amount` until
    `valid_until`. `occurred_at` is now by default, and never later. Raises `NotFound`, `NotYourLead`, and `Invalid`
    for types that only Athena logs, for a time in the future, and for an amount or a validity without a quote.
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
    """Correct an activity and rescore its lead. Its author may, and a manager who sees the lead.

    The lead's status, milestones and quote follow the correction, except where a person has set them since. If the
    activity stops being a quote, its amount and validity are dropped. The old and new values are kept as a
    `FieldChange` of the field "activity". Raises `NotFound`, `NotYourActivity`, `Invalid`, and `NotLoggedByHand` for
    an activity that Athena wrote.
    """
    activity, lead = locks.lock_visible_activity(by, activity_id)
    policy.check_may_correct_activity(by, activity)
    if activity.activity_type not in LOGGABLE_TYPES or activity.follow_up_id is not None:
        raise errors.NotLoggedByHand
    unknown = set(changes) - {*CORRECTABLE_FIELDS, *QUOTE_FIELDS}
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "This field cannot be changed."))
    before = copy(activity)
    for name in changes.keys() - set(QUOTE_FIELDS):
        setattr(activity, name, changes[name])
    _check(activity.activity_type, activity.occurred_at)
    activity.data = _build_data(activity, changes)
    old, new = _get_correctable_values(before), _get_correctable_values(activity)
    changed = [name for name in new if old[name] != new[name]]
    if not changed:
        return activity
    activity.save(update_fields=[*CORRECTABLE_FIELDS, "data"])
    about = {"id": activity.pk, "was": str(before)}
    old, new = ({name: to_json_value(values[name]) for name in changed} for values in (old, new))
    FieldChange.objects.create(lead=lead, field="activity", old=about | old, new=about | new, by=by)
    _apply_correction(lead, activity, before, by)
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
    """Create the row of an activity in the caller's transaction, without a permission check or any other write."""
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
    """Update the (locked) lead for a new activity, together with any other `columns`.

    An inbound activity ends the lead's cadence. A contact or a quote moves its status forward.
    """
    if activity.direction == Activity.Direction.INBOUND:
        cadences.stop_for_leads(Lead.objects.filter(pk=lead.pk), reason="The lead answered")
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
    """Check that this activity can be logged by hand. Raises `Invalid`."""
    if activity_type not in LOGGABLE_TYPES:
        raise errors.Invalid({"activity_type": "This type cannot be logged by hand."})
    if occurred_at is not None and occurred_at > timezone.now() + CLOCK_SKEW:
        raise errors.Invalid({"occurred_at": "The time must not be in the future."})


def _build_data(activity: Activity, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The activity's `data` after `changes`, without amount and validity unless it is a quote. Raises `Invalid`."""
    rest = {name: value for name, value in activity.data.items() if name not in QUOTE_FIELDS}
    is_quote = activity.activity_type == Activity.Type.QUOTE
    old_quote = sale_progress.parse_quote(activity.data) if is_quote else {}
    quote = {name: changes.get(name, old_quote.get(name)) for name in QUOTE_FIELDS}
    return rest | sale_progress.build_quote_data(activity.activity_type, **quote)


def _get_correctable_values(activity: Activity) -> dict[str, Any]:
    """The values that `correct` can change, by name."""
    return {name: getattr(activity, name) for name in CORRECTABLE_FIELDS} | {
        name: activity.data.get(name) for name in QUOTE_FIELDS
    }


def _apply_correction(lead: Lead, activity: Activity, before: Activity, by: User | None) -> None:
    """Update the (locked) lead after an activity was corrected."""
    system_types = (Activity.Type.TRANSFER, Activity.Type.STATUS_CHANGE)
    last = Activity.objects.filter(lead=lead).exclude(activity_type__in=system_types).aggregate(at=Max("occurred_at"))
    Lead.objects.filter(pk=lead.pk).update(
        **sale_progress.apply_correction(lead, activity, before, by),
        last_activity_at=last["at"],
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
