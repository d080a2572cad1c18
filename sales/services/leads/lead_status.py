"""What a new status means for a lead: when it reached each stage, and the record of the change."""

from datetime import datetime

from django.utils import timezone

from athena.accounts.models import User
from sales.activity_descriptions import describe_status_change
from sales.models import Activity, FieldChange, Lead
from sales.models.leads.lead import CLOSED_STATUSES

STAGES = ("new", "contacted", "qualified", "quoted", "won")  # each stage implies the ones before it
REACHED_AT = {
    "contacted": "first_contacted_at",
    "qualified": "qualified_at",
    "quoted": "quoted_at",
    "won": "won_at",
}


def get_rank(status: str | None) -> int:
    """The index of a status in `STAGES`; -1 for `lost` and None."""
    return STAGES.index(status) if status in STAGES else -1


def stamp_stages(lead: Lead) -> None:
    """Set the times of all stages that the lead's status implies, and `closed_at`. Saves nothing."""
    now = timezone.now()
    for stage in STAGES[: get_rank(lead.status) + 1]:
        column = REACHED_AT.get(stage)
        if column and getattr(lead, column) is None:
            setattr(lead, column, now)
    lead.closed_at = now if lead.status in CLOSED_STATUSES else None


def record_change(lead: Lead, old_status: str, by: User | None, at: datetime, cause: Activity | None = None) -> None:
    """Record a change of status as a `FieldChange` and an activity. `cause` is the activity that caused it, if any."""
    FieldChange.objects.create(lead=lead, field="status", old=old_status, new=lead.status, by=by, at=at, activity=cause)
    old_label, new_label = Lead.Status(old_status).label, Lead.Status(lead.status).label
    Activity.objects.create(
        lead=lead,
        user=by,
        activity_type=Activity.Type.STATUS_CHANGE,
        description=describe_status_change(old_label, new_label),
        data={"from": old_status, "to": lead.status},
        occurred_at=at,
        created_at=at,
    )
