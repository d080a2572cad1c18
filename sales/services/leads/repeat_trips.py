"""Creates repeat trips: leads that copy a won trip for the next year."""

from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from athena.accounts.models import User, local_today
from athena.formatting import format_date, format_money
from sales import errors, policy, schedule
from sales.models import FollowUp, Lead
from sales.services import locks
from sales.services.follow_ups import planning
from sales.services.leads import leads

logger = structlog.get_logger(__name__)

BATCH_SIZE = 500
COPIED_FIELDS = (
    *("company_name", "contact_name", "email", "phone", "trip_type", "pickup_location", "dropoff_location"),
    *("itinerary", "estimated_passengers", "vehicle_type", "vehicles_needed", "accessible_seats", "source"),
)


@transaction.atomic
def repeat_trip(*, by: User | None, lead_id: int) -> Lead:
    """Create a lead that copies a won trip on its next anniversary, and plan a call for its owner on a working day.

    The lead has the same owner, or none if they are no longer active. Raises `NotFound`, `NotYourLead`, `NotWon`,
    `AlreadyRepeated`.
    """
    won = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, won)
    if won.status != Lead.Status.WON or won.pickup_at is None:
        raise errors.NotWon
    if Lead.objects.filter(repeat_of=won).exists():
        raise errors.AlreadyRepeated
    owner = won.assigned_to if won.assigned_to is not None and won.assigned_to.is_active else None
    lead = leads.create(by=by, values=_copy_values(won, won.pickup_at, owner), repeat_of=won)
    if lead.assigned_to is not None:
        planning.plan_follow_up(
            lead=lead,
            by=by,
            assignee=lead.assigned_to,
            follow_up_type=FollowUp.Type.CALL,
            scheduled_date=schedule.move_to_working_day(local_today(lead.assigned_to)),
            scheduled_time=None,
            notes="Will they travel again this year?",
        )
        planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
        lead.refresh_from_db()
    return lead


def repeat_due_trips() -> int:
    """Create the repeat leads of all trips to offer again, each in its own transaction. Returns how many.

    Does nothing unless the setting `CALL_AGAIN_BY_ITSELF` is on.
    """
    if not settings.CALL_AGAIN_BY_ITSELF:
        return 0
    repeated = 0
    for key in Lead.objects.call_again().order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]:
        with transaction.atomic():
            locks.lock_leads([key])
            if Lead.objects.call_again().filter(pk=key).exists():  # an earlier one may belong to the same client
                repeat_trip(by=None, lead_id=key)
                repeated += 1
    return repeated


def _copy_values(won: Lead, pickup: datetime, owner: User | None) -> dict[str, Any]:
    new_pickup = _next_anniversary(pickup)
    day = pickup.astimezone(schedule.company_zone()).date()
    booked = f", booked for {format_money(won.booked_value)}" if won.booked_value is not None else ""
    return {
        **{name: getattr(won, name) for name in COPIED_FIELDS},
        "pickup_at": new_pickup,
        "return_at": new_pickup + (won.return_at - pickup) if won.return_at else None,
        "estimated_value": won.estimated_value if won.booked_value is None else won.booked_value,
        "notes": f"Same trip as on {format_date(day)}{booked}.",
        "is_repeat": True,
        "assigned_to": owner.pk if owner else None,
    }


def _next_anniversary(pickup: datetime) -> datetime:
    """The same date and time, in the company's time zone, in the first year in which it is in the future."""
    local = pickup.astimezone(schedule.company_zone())
    years = max(timezone.now().year - local.year, 1)
    while True:
        day = schedule.add_months(local.date(), 12 * years)
        anniversary = datetime.combine(day, local.time(), tzinfo=local.tzinfo)
        if anniversary > timezone.now():
            return anniversary
        years += 1
