"""What happened to a lead: the activity log, and every change of a field."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from athena.accounts.models import User
from athena.db import Now
from sales.models.fields import line_field, text_field, user_field
from sales.models.follow_up import FollowUp
from sales.models.lead import Lead


class LeadRelatedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows that belong to a lead and are seen by whoever sees the lead."""

    def visible_to(self, user: User) -> Self:
        return self.filter(lead__in=Lead.objects.visible_to(user).order_by().values("pk"))


class Activity(models.Model):
    class Type(models.TextChoices):
        CALL = "call", "Call"
        EMAIL = "email", "E-mail"
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
    follow_up = models.ForeignKey(FollowUp, models.SET_NULL, null=True, blank=True, related_name="activities")
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
    """One field of a lead, before and after. Written by the service that changes it, from the first day.

    `activity` is the activity that changed it; NULL where a person or a file set the field. Two fields tell of other
    rows of the lead: "activity" of a corrected activity, "follow_up" of a changed follow-up. Their `old` and `new` are
    objects with the row's `id` and what differs.
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
