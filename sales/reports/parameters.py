"""The query parameters of the reports in the API."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from athena.api import fields
from athena.api.serializers import StrictSerializer
from sales.queries.reports.period import Period


def build_choice_field(choices: Mapping[str, str], default: str) -> fields.ChoiceField:
    """An optional parameter that takes one of the keys of `choices`."""
    return fields.ChoiceField(choices=[(name, name) for name in choices], required=False, default=default)


class PeriodParameters(StrictSerializer):
    start_date = fields.DateField(required=False)
    end_date = fields.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if error := get_period(attrs).error:
            raise serializers.ValidationError({"end_date": error})
        return attrs


class TableParameters(PeriodParameters):
    format = build_choice_field({"json": "JSON", "csv": "CSV"}, "json")


def get_period(params: Mapping[str, Any]) -> Period:
    return Period(params.get("start_date"), params.get("end_date"))
