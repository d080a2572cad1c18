"""The JSON of leads and of their probable duplicates, declared once for the responses and for the schema."""

from dataclasses import asdict
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

from athena.api.serializers import Row
from sales.models import Lead
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


class TripWarningRow(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class LeadDetail(LeadRow):
    """One lead, with warnings about its trip."""

    warnings = TripWarningRow(many=True)

    @classmethod
    def read(cls, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, dict[str, Any]]":
        return LeadRow.read(queryset)

    @classmethod
    def of(cls, row: Model) -> dict[str, Any]:
        return cls.add_warnings(super().of(row))

    @staticmethod
    def add_warnings(row: dict[str, Any]) -> dict[str, Any]:
        """Add `warnings` to a row of `read`."""
        return row | {"warnings": [asdict(warning) for warning in trip_warnings.list_warnings(row)]}


class DuplicateRow(serializers.Serializer[Any]):
    """An open lead that is probably a duplicate, and why."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Lead.Status.choices)
    assigned_to = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    reasons = serializers.ListField(child=serializers.ChoiceField(list(duplicates.LABELS)))
    strength = serializers.IntegerField(help_text="How probable the match is, 1 to 100.")

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
    """A lead that was just created, with possible duplicates among the open leads that the caller may see."""

    duplicates = DuplicateRow(many=True)
