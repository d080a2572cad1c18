"""The JSON of activities, declared once for the responses and for the schema."""

from rest_framework import serializers

from athena.api.serializers import Row
from sales.models import Activity


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
