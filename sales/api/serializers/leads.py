"""The shapes in which leads, follow-ups and activities go out, each declared once for the JSON and for the schema."""

from dataclasses import asdict
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

from athena.api.row_serializers import Row
from sales.models import Activity, FollowUp, Lead
from sales.models.lead import display_name
from sales.queries.leads import duplicates, trip_warnings


class LeadRow(Row):
    id = serializers.IntegerField()
    company_name = serializers.CharField()
    contact_name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    notes = serializers.CharField()
    status = serializers.ChoiceField(Lead.Status.choices)
    trip_type = serializers.CharField()
    pickup_at = serializers.DateTimeField(allow_null=True)
    return_at = serializers.DateTimeField(allow_null=True)
    pickup_location = serializers.CharField()
    dropoff_location = serializers.CharField()
    itinerary = serializers.CharField()
    estimated_passengers = serializers.IntegerField(allow_null=True)
    vehicle_type = serializers.CharField()
    vehicles_needed = serializers.IntegerField(allow_null=True)
    accessible_seats = serializers.IntegerField(allow_null=True)
    estimated_value = serializers.FloatField(allow_null=True)
    quote_amount = serializers.FloatField(allow_null=True)
    quote_valid_until = serializers.DateField(allow_null=True)
    bid_due_at = serializers.DateTimeField(allow_null=True)
    booked_value = serializers.FloatField(allow_null=True)
    is_repeat = serializers.BooleanField()
    repeat_of_id = serializers.IntegerField(allow_null=True)
    source = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]  # (every field has a `source`)
    campaign = serializers.CharField()
    utm_source = serializers.CharField()
    utm_medium = serializers.CharField()
    utm_campaign = serializers.CharField()
    utm_term = serializers.CharField()
    utm_content = serializers.CharField()
    assigned_to = serializers.IntegerField(allow_null=True)
    score = serializers.IntegerField()
    score_updated_at = serializers.DateTimeField(allow_null=True)
    last_follow_up_date = serializers.DateTimeField(allow_null=True)
    next_follow_up_date = serializers.DateTimeField(allow_null=True)
    follow_up_count = serializers.IntegerField()
    first_contacted_at = serializers.DateTimeField(allow_null=True)
    qualified_at = serializers.DateTimeField(allow_null=True)
    quoted_at = serializers.DateTimeField(allow_null=True)
    won_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    lost_reason = serializers.CharField(allow_null=True)
    last_activity_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class Warned(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class LeadDetail(LeadRow):
    """One lead, with what is worth a second look about its trip."""

    warnings = Warned(many=True)

    @classmethod
    def read(cls, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, dict[str, Any]]":
        return LeadRow.read(queryset)

    @classmethod
    def of(cls, row: Model) -> dict[str, Any]:
        return cls.warned(super().of(row))

    @staticmethod
    def warned(row: dict[str, Any]) -> dict[str, Any]:
        """The row of `read`, with its warnings."""
        return row | {"warnings": [asdict(each) for each in trip_warnings.of(row)]}


class DuplicateRow(serializers.Serializer[Any]):
    """An open lead that is probably the same, and why."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Lead.Status.choices)
    assigned_to = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    reasons = serializers.ListField(child=serializers.ChoiceField(list(duplicates.LABELS)))
    strength = serializers.IntegerField(help_text="How probably it is the same, 1 to 100.")

    @staticmethod
    def of(match: duplicates.Match) -> dict[str, Any]:
        lead = match.lead
        return {
            "id": lead.pk,
            "name": str(lead),
            "status": lead.status,
            "assigned_to": lead.assigned_to_id,
            "created_at": lead.created_at,
            "reasons": list(match.reasons),
            "strength": match.strength,
        }


class NewLead(LeadDetail):
    """A lead that has just come in, with the open ones that it may repeat (of those that the caller may see)."""

    duplicates = DuplicateRow(many=True)


class ActivityRow(Row):
    id = serializers.IntegerField()
    lead_id = serializers.IntegerField()
    activity_type = serializers.ChoiceField(Activity.Type.choices)
    direction = serializers.ChoiceField(Activity.Direction.choices, allow_null=True)
    description = serializers.CharField()
    notes = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]  # (every serializer has `data`)
    user_id = serializers.IntegerField(allow_null=True)
    follow_up_id = serializers.IntegerField(allow_null=True)
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class FollowUpRow(Row):
    """Read from a queryset that is `with_overdue()`."""

    id = serializers.IntegerField()
    lead_id = serializers.IntegerField()
    lead_name = serializers.CharField()
    follow_up_type = serializers.ChoiceField(FollowUp.Type.choices)
    scheduled_date = serializers.DateField()
    scheduled_time = serializers.TimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    is_overdue = serializers.BooleanField()
    completed = serializers.BooleanField()
    completed_at = serializers.DateTimeField(allow_null=True)
    completed_by = serializers.IntegerField(allow_null=True)
    outcome = serializers.ChoiceField(FollowUp.Outcome.choices, allow_null=True)
    notes = serializers.CharField()
    outcome_notes = serializers.CharField()
    no_next_reason = serializers.CharField()
    assigned_to = serializers.IntegerField()
    created_by = serializers.IntegerField(allow_null=True)
    activity_id = serializers.IntegerField(allow_null=True)
    remind_at = serializers.DateTimeField(allow_null=True)
    reminder_sent = serializers.BooleanField()
    snoozed_until = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancel_reason = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    class Meta:
        expressions = {"lead_name": display_name("lead__")}


class WarningShape(serializers.Serializer[Any]):
    code = serializers.ChoiceField(["after_pickup"])
    message = serializers.CharField()


class PlannedRow(FollowUpRow):
    """As it goes out when it was planned or changed: with what is odd about it. (Not to be read.)"""

    warnings = WarningShape(many=True)


class TaskRow(Row):
    """A follow-up on somebody's list of what to do, with what they need to do it. `with_overdue()`, too."""

    id = serializers.IntegerField()
    lead_id = serializers.IntegerField()
    lead_name = serializers.CharField()
    follow_up_type = serializers.ChoiceField(FollowUp.Type.choices)
    scheduled_date = serializers.DateField()
    scheduled_time = serializers.TimeField(allow_null=True)
    notes = serializers.CharField()
    is_overdue = serializers.BooleanField()
    due_at = serializers.DateTimeField(allow_null=True)
    assigned_to = serializers.IntegerField()
    lead_status = serializers.ChoiceField(Lead.Status.choices)
    lead_score = serializers.IntegerField()
    phone = serializers.CharField()
    email = serializers.CharField()

    class Meta:
        expressions = {
            "lead_name": display_name("lead__"),
            "lead_status": "lead__status",
            "lead_score": "lead__score",
            "phone": "lead__phone",
            "email": "lead__email",
        }
