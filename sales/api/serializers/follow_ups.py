"""The JSON of follow-ups and of tasks on somebody's list, declared once for the responses and for the schema."""

from typing import Any

from rest_framework import serializers

from athena.api.serializers import Row
from sales.models import FollowUp, Lead
from sales.models.leads.lead import lead_name


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
        expressions = {"lead_name": lead_name("lead__")}


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
            "lead_name": lead_name("lead__"),
            "lead_status": "lead__status",
            "lead_score": "lead__score",
            "phone": "lead__phone",
            "email": "lead__email",
        }
