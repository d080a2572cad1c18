"""`/sales/sources`: where leads come from; `/sales/lost-reasons`: why they are lost."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from athena.http import filters
from athena.http.filters import query_values
from athena.http.pagination import ARRAY, ARRAY_PARAMETERS, array_response
from athena.http.rows import Row
from athena.http.serializers import StrictSerializer
from athena.http.viewsets import VerbViewSet, ViewSet
from sales.models import LeadSource, LostReason


class SourceRow(Row):
    id = serializers.IntegerField()
    name = serializers.CharField()
    channel = serializers.ChoiceField(LeadSource.Channel.choices)
    cost_model = serializers.ChoiceField(LeadSource.CostModel.choices)
    unit_cost = serializers.FloatField(allow_null=True)
    is_active = serializers.BooleanField()


class SourceFilters(filters.StrictFilterSet):
    channel = filters.ChoicesFilter(choices=LeadSource.Channel.choices)
    is_active = filters.FlagFilter(lookup_expr="exact")


class SourceViewSet(ViewSet):
    """What a lead can be attributed to. Managers keep the list in the admin."""

    queryset = LeadSource.objects.none()
    row = SourceRow
    filterset_class = SourceFilters
    orderings = {"name": "name"}
    default_ordering = "name"

    def get_queryset(self) -> "QuerySet[LeadSource]":
        return LeadSource.objects.all()


class LostReasonRow(Row):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, over the base's attribute


class LostReasonViewSet(VerbViewSet):
    queryset = LostReason.objects.none()

    @extend_schema(parameters=ARRAY, responses=LostReasonRow(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The names that `lost_reason` takes."""
        query_values(request, StrictSerializer, ARRAY_PARAMETERS)
        reasons = LostReason.objects.filter(is_active=True).order_by("id")
        return array_response(request, LostReasonRow.read(reasons))
