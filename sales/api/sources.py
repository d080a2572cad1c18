"""`/sales/sources`: lead sources and their spend; `/sales/lost-reasons`: the reasons for losing a lead."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields, filters
from athena.api.filters import read_query
from athena.api.pagination import ARRAY_PARAMETERS, ARRAY_SCHEMA, array_response
from athena.api.serializers import Row, StrictSerializer
from athena.api.viewsets import ActionViewSet, ViewSet
from sales.models import LeadSource, LostReason, SourceSpend
from sales.services import sources


class SourceRow(Row):
    id = serializers.IntegerField()
    name = serializers.CharField()
    channel = serializers.ChoiceField(LeadSource.Channel.choices)
    cost_model = serializers.ChoiceField(LeadSource.CostModel.choices)
    unit_cost = serializers.FloatField(allow_null=True)
    is_active = serializers.BooleanField()


class SourceFilters(filters.StrictFilterSet):
    channel = filters.ChoicesFilter(choices=LeadSource.Channel.choices)
    is_active = filters.BooleanFilter(lookup_expr="exact")


class SourceBody(StrictSerializer):
    name = fields.OneLineField(max_length=100, allow_blank=False)
    channel = fields.ChoiceField(choices=LeadSource.Channel.choices, required=False)
    cost_model = fields.ChoiceField(choices=LeadSource.CostModel.choices, required=False)
    unit_cost = fields.MoneyField(required=False, allow_null=True)
    is_active = fields.BooleanField(required=False)

    class Meta:
        row = SourceRow


class SpendRow(Row):
    id = serializers.IntegerField()
    month = serializers.DateField(help_text="The first day of the month.")
    campaign = serializers.CharField(help_text="Empty for spend that belongs to no campaign.")
    amount = serializers.FloatField()


class SpendBody(StrictSerializer):
    month = fields.DateField(help_text="The first day of the month.")
    amount = fields.MoneyField()
    campaign = fields.OneLineField(max_length=100, required=False)

    class Meta:
        row = SpendRow


class SourceViewSet(ViewSet):
    """Lead sources and what they cost."""

    queryset = LeadSource.objects.none()
    row = SourceRow
    filterset_class = SourceFilters
    orderings = {"name": "name"}
    default_ordering = "name"
    action_permissions = {"spend": "sales.change_sourcespend"}

    def get_queryset(self) -> "QuerySet[LeadSource]":
        return LeadSource.objects.all()

    @extend_schema(request=SourceBody, responses={201: SourceRow})
    def create(self, request: Request) -> Response:
        """Create a source. Managers only."""
        source = sources.create(by=self.caller, values=self.read_body(SourceBody))
        return Response(SourceRow.of(source), status=status.HTTP_201_CREATED)

    @extend_schema(request=SourceBody, responses=SourceRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a source. Managers only."""
        changes = self.read_body(SourceBody, partial=True)
        return Response(SourceRow.of(sources.update(by=self.caller, source_id=self.pk, changes=changes)))

    @extend_schema(methods=["GET"], responses=SpendRow(many=True))
    @extend_schema(methods=["POST"], request=SpendBody, responses={200: SpendRow, 201: SpendRow})
    @action(
        detail=True,
        methods=["get", "post"],
        orderings={"month": "month"},
        default_ordering="-month",
        filterset_class=filters.StrictFilterSet,
    )
    def spend(self, request: Request, pk: str) -> Response:
        """List what a source cost each month. POST sets a month's amount: 201 if it is new, else 200. Managers only."""
        if request.method == "POST":
            spend, is_new = sources.set_spend(by=self.caller, source_id=self.pk, **self.read_body(SpendBody))
            return Response(SpendRow.of(spend), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
        self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        return self.list_page(SpendRow, SourceSpend.objects.filter(source=self.pk))


class LostReasonRow(Row):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, over the base's attribute


class LostReasonViewSet(ActionViewSet):
    queryset = LostReason.objects.none()

    @extend_schema(parameters=ARRAY_SCHEMA, responses=LostReasonRow(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the values that `lost_reason` accepts."""
        read_query(request, StrictSerializer, ARRAY_PARAMETERS)
        reasons = LostReason.objects.filter(is_active=True).order_by("id")
        return array_response(request, LostReasonRow.read(reasons))
