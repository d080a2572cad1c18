"""Logging what happened to a lead."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, policy
from sales.models import Activity, FollowUp, Lead
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
    if activity_type not in LOGGABLE:
        raise errors.Invalid({"activity_type": "This type can't be logged by hand."})
    if occurred_at is not None and occurred_at > timezone.now() + CLOCK_SKEW:
        raise errors.Invalid({"occurred_at": "This time is still to come."})
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
