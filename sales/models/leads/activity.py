"""What happened with a lead: its activities, and every change of a field."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from athena.db import Now
from sales.models.fields import line_field, text_field, user_field
from sales.models.leads.lead import Lead, LeadRelatedQuerySet


def to_json_value(value: Any) -> Any:
    """The value of a column as JSON can hold it: ISO 8601 text for a date or datetime, a number for money."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


class Activity(models.Model):
    """A call, email, meeting, note, quote, transfer or change of status of a lead."""

    class Type(models.TextChoices):
        CALL = "call", "Call"
        EMAIL = "email", "Email"
        MEETING = "meeting", "Meeting"
        NOTE = "note", "Note"
        QUOTE = "quote", "Quote sent"
        QUOTE_REQUESTED = "quote_requested", "Quote requested"
        TRANSFER = "transfer", "Transfer"
        STATUS_CHANGE = "status_change", "Status change"
        OTHER = "other", "Other"

    class Direction(models.TextChoices):
        INBOUND = "inbound", "Inbound"
        OUTBOUND = "outbound", "Outbound"

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="activities", db_index=False)
    activity_type = models.CharField(max_length=50, choices=Type)
    direction = models.CharField(max_length=10, choices=Direction, null=True, blank=True)
    description = line_field(500)
    notes = text_field()
    data = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    user = user_field("user_id", null=True, blank=True)
    follow_up = models.ForeignKey("sales.FollowUp", models.SET_NULL, null=True, blank=True, related_name="activities")
    occurred_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = LeadRelatedQuerySet.as_manager()

    class Meta:
        db_table = "activities"
        ordering = ["-occurred_at", "-id"]
        verbose_name_plural = "activities"
        constraints = [
            models.CheckConstraint(
                condition=Q(direction__isnull=True) | Q(direction__in=["inbound", "outbound"]),
                name="activities_direction_known",
            ),
            models.CheckConstraint(condition=~Q(activity_type=""), name="activities_typed"),
        ]
        indexes = [
            models.Index(F("lead"), F("occurred_at").desc(), F("id").desc(), name="idx_activities_lead"),
            models.Index("lead", "activity_type", "occurred_at", name="idx_activities_type"),
        ]

    def __str__(self) -> str:
        return self.description or self.get_activity_type_display()


class FieldChange(models.Model):
    """One change of one field of a lead: the value before and after, written by the service that changes it.

    `activity` is the activity that caused the change; NULL where a person or an import set the field. Two values of
    `field` describe other rows of the lead: "activity" a corrected activity, "follow_up" a changed follow-up. Their
    `old` and `new` are objects with the row's `id` and the values that differ.
    """

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="field_changes", db_index=False)
    field = models.CharField(max_length=100)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    by = user_field("by_id", null=True)
    activity = models.ForeignKey(Activity, models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=Now())

    objects = LeadRelatedQuerySet.as_manager()

    class Meta:
        db_table = "field_changes"
        ordering = ["-at", "-id"]
        indexes = [models.Index(F("lead"), F("at").desc(), F("id").desc(), name="idx_field_changes_lead")]

    def __str__(self) -> str:
        return f"{self.field} of lead {self.lead_id}"
