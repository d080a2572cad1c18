"""What a new status means for a lead: the stages it has reached, and the records of the change."""

from datetime import datetime

from django.utils import timezone

from athena.accounts.models import User
from sales.models import Activity, FieldChange, Lead
from sales.models.lead import CLOSED_STATUSES

STAGES = ("new", "contacted", "qualified", "quoted", "won")  # each stage implies the ones before it
REACHED_AT = {
    "contacted": "first_contacted_at",
    "qualified": "qualified_at",
    "quoted": "quoted_at",
    "won": "won_at",
}


def get_rank(status: str | None) -> int:
    """The place of a status among the stages of a sale; -1 for `lost` and for None."""
    return STAGES.index(status) if status in STAGES else -1


def stamp_stages(lead: Lead) -> None:
    """Stamp the stages that the lead's status implies, and when the lead was closed. Saves nothing."""
    now = timezone.now()
    for stage in STAGES[: get_rank(lead.status) + 1]:
        column = REACHED_AT.get(stage)
        if column and getattr(lead, column) is None:
            setattr(lead, column, now)
    lead.closed_at = now if lead.status in CLOSED_STATUSES else None


def record_change(lead: Lead, was: str, by: User | None, at: datetime, because: Activity | None = None) -> None:
    """Write the change of status down: in the lead's changes, and in its log. `because` is the activity behind it."""
    FieldChange.objects.create(lead=lead, field="status", old=was, new=lead.status, by=by, at=at, activity=because)
    labels = Lead.Status(was).label, Lead.Status(lead.status).label
    Activity.objects.create(
        lead=lead,
        user=by,
        activity_type=Activity.Type.STATUS_CHANGE,
        description=f"Status changed from {labels[0]} to {labels[1]}",
        data={"from": was, "to": lead.status},
        occurred_at=at,
        created_at=at,
    )
