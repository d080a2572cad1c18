"""The days that a report is asked about."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from athena.api import fields
from athena.api.serializers import StrictSerializer

LONGEST_PERIOD = timedelta(days=5 * 366)


class PeriodQuery(StrictSerializer):
    start_date = fields.DateField(required=False)
    end_date = fields.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_date"), attrs.get("end_date")
        if start and end and end < start:
            raise serializers.ValidationError({"end_date": "The end is before the start."})
        if start and end and end - start > LONGEST_PERIOD:
            raise serializers.ValidationError({"end_date": "A report covers five years at most."})
        return attrs
