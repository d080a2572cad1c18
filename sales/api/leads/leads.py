"""`/sales/leads`: leads and their activities, with mixed-in actions for scores, timelines, transfers and more."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields, filters
from athena.api.viewsets import ViewSet
from sales.api.activities import ActivityBody
from sales.api.follow_ups.cadences import CadenceActions
from sales.api.leads.attribution import Attribution
from sales.api.leads.duplicates import DuplicateActions
from sales.api.leads.repeat_trips import RepeatActions
from sales.api.leads.scores import ScoreActions
from sales.api.leads.timeline import TimelineActions
from sales.api.ownership.transfers import TransferActions
from sales.api.serializers.activities import ActivityRow
from sales.api.serializers.leads import DuplicateRow, LeadDetail, LeadRow, NewLead
from sales.models import Activity, Lead
from sales.queries.leads import duplicates
from sales.services import activities
from sales.services.leads import leads


class LeadFilters(filters.StrictFilterSet):
    status = filters.ChoicesFilter(choices=Lead.Status.choices)
    source = filters.IdsFilter()
    assigned_to = filters.IdsFilter(or_none=True)
    min_score = filters.IntegerFilter(field_name="score", lookup_expr="gte")
    max_score = filters.IntegerFilter(field_name="score", lookup_expr="lte")
    created_after = filters.DateTimeAfterFilter(field_name="created_at")
    created_before = filters.DateTimeBeforeFilter(field_name="created_at")
    next_follow_up_before = filters.DateTimeBeforeFilter(field_name="next_follow_up_date")
    unplanned = filters.BooleanFilter(method="filter_unplanned")
    trip_passed = filters.BooleanFilter(
        method="filter_trip_passed", help_text="Open leads whose pickup date has passed."
    )
    search = filters.TextFilter(method="filter_search")

    def filter_unplanned(self, queryset: Any, name: str, value: bool) -> Any:
        unplanned = Lead.objects.unplanned().order_by().values("pk")
        return queryset.filter(pk__in=unplanned) if value else queryset.exclude(pk__in=unplanned)

    def filter_trip_passed(self, queryset: Any, name: str, value: bool) -> Any:
        passed = Lead.objects.trip_passed().order_by().values("pk")
        return queryset.filter(pk__in=passed) if value else queryset.exclude(pk__in=passed)

    def filter_search(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.search(value)


class LeadBody(Attribution):
    company_name = fields.OneLineField(max_length=200, required=False)
    contact_name = fields.OneLineField(max_length=200, required=False)
    email = fields.EmailField(required=False)
    phone = fields.OneLineField(max_length=50, required=False)
    notes = fields.LongTextField(required=False)
    status = fields.ChoiceField(choices=Lead.Status.choices, required=False)
    trip_type = fields.ChoiceField(choices=Lead.TripType.choices, required=False, allow_blank=True)
    pickup_at = fields.DateTimeField(required=False, allow_null=True)
    return_at = fields.DateTimeField(required=False, allow_null=True)
    pickup_location = fields.OneLineField(max_length=200, required=False)
    dropoff_location = fields.OneLineField(max_length=200, required=False)
    itinerary = fields.LongTextField(required=False)
    estimated_passengers = fields.CountField(required=False, allow_null=True)
    vehicle_type = fields.ChoiceField(choices=Lead.VehicleType.choices, required=False, allow_blank=True)
    vehicles_needed = fields.CountField(required=False, allow_null=True)
    accessible_seats = fields.CountField(required=False, allow_null=True)
    estimated_value = fields.MoneyField(required=False, allow_null=True)
    quote_amount = fields.MoneyField(required=False, allow_null=True)
    quote_valid_until = fields.DateField(required=False, allow_null=True)
    bid_due_at = fields.DateTimeField(required=False, allow_null=True)
    booked_value = fields.MoneyField(required=False, allow_null=True)
    is_repeat = fields.BooleanField(required=False)
    source = fields.IdField(required=False, allow_null=True)  # type: ignore[assignment]
    lost_reason = fields.OneLineField(max_length=50, required=False, allow_null=True)

    class Meta:
        row = NewLead


class NewLeadBody(LeadBody):
    assigned_to = fields.IdField(required=False, allow_null=True)


class LeadViewSet(
    ScoreActions, TimelineActions, TransferActions, DuplicateActions, CadenceActions, RepeatActions, ViewSet
):
    """Leads: possible bookings and the progress of each sale."""

    queryset = Lead.objects.none()
    row = LeadRow
    detail_row = LeadDetail
    filterset_class = LeadFilters
    orderings = {
        "created_at": "created_at",
        "score": "score",
        "next_follow_up_date": "next_follow_up_date",
        "estimated_value": "estimated_value",
    }
    default_ordering = "-created_at"
    action_permissions = {
        **ScoreActions.action_permissions,
        **TimelineActions.action_permissions,
        **TransferActions.action_permissions,
        **DuplicateActions.action_permissions,
        **CadenceActions.action_permissions,
        **RepeatActions.action_permissions,
    }

    def get_queryset(self) -> "QuerySet[Lead]":
        return Lead.objects.visible_to(self.caller)

    def add_details(self, row: dict[str, Any]) -> dict[str, Any]:
        return LeadDetail.add_warnings(row)

    @extend_schema(request=NewLeadBody, responses={201: NewLead})
    def create(self, request: Request) -> Response:
        """Create a lead. A salesperson becomes its owner; a manager may set `assigned_to`.

        Without an owner, the assignment rules choose one, or the lead stays unassigned. `duplicates` are open leads
        that may be about the same inquiry; `warnings` are about the trip.
        """
        lead = leads.create(by=self.caller, values=self.read_body(NewLeadBody))
        rows = [DuplicateRow.of(match) for match in duplicates.find_duplicates_of_lead(self.caller, lead)]
        return Response(LeadDetail.of(lead) | {"duplicates": rows}, status=status.HTTP_201_CREATED)

    @extend_schema(responses=LeadDetail)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Get a lead, with `warnings` about its trip."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=LeadBody, responses=LeadDetail)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a lead. Only its owner or a manager may.

        Status `lost` needs a `lost_reason`. Status `won` needs a `booked_value`, by default the quote amount.
        """
        lead = leads.update(
            by=self.caller, lead_id=self.pk, changes=self.read_body(LeadBody, partial=True), versions=self.if_match
        )
        return Response(LeadDetail.of(lead))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Archive a lead. Managers only."""
        leads.archive(by=self.caller, lead_id=self.pk, versions=self.if_match)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(methods=["GET"], responses=ActivityRow(many=True))
    @extend_schema(methods=["POST"], request=ActivityBody, responses={201: ActivityRow})
    @action(
        detail=True,
        methods=["get", "post"],
        orderings={"occurred_at": "occurred_at"},
        default_ordering="-occurred_at",
        filterset_class=filters.StrictFilterSet,
    )
    def activities(self, request: Request, pk: str) -> Response:
        """List a lead's activities, newest first; POST logs one. Only the lead's owner or a manager may log.

        An outbound call, email or meeting makes a new lead `contacted`. A quote makes an open lead `quoted`; its
        `amount` and `valid_until` become the lead's `quote_amount` and `quote_valid_until`, and stay in `data`.
        """
        if request.method == "POST":
            activity = activities.log(by=self.caller, lead_id=self.pk, **self.read_body(ActivityBody))
            return Response(ActivityRow.of(activity), status=status.HTTP_201_CREATED)
        self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        rows = Activity.objects.filter(lead=self.pk)
        page = self.paginate_queryset(ActivityRow.read(self.filter_queryset(rows)))
        return self.get_paginated_response(page)
