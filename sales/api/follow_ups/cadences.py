"""`/sales/cadences`: the cadences; `/sales/leads/{id}/cadences`: a lead's current and past cadences."""

from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.pagination import ARRAY_PARAMETERS, ARRAY_SCHEMA, array_response
from athena.api.serializers import Row, StrictSerializer
from athena.api.viewsets import ViewSet
from sales.models import Cadence, CadenceEnrolment
from sales.services.follow_ups import cadences


class CadenceRow(Row):
    id = serializers.IntegerField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    step_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    class Meta:
        expressions = {"step_count": Count("steps")}


class EnrolmentRow(Row):
    id = serializers.IntegerField()
    lead_id = serializers.IntegerField()
    cadence_id = serializers.IntegerField()
    cadence_name = serializers.CharField()
    day = serializers.IntegerField(help_text="The day of the step that the lead has reached.")
    follow_up_id = serializers.IntegerField(allow_null=True)
    started_at = serializers.DateTimeField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    stop_reason = serializers.CharField()

    class Meta:
        expressions = {"cadence_name": "cadence__name"}


class EnrolmentBody(StrictSerializer):
    cadence_id = fields.IdField()


class StopBody(StrictSerializer):
    reason = fields.OneLineField(max_length=200, required=False)


class CadenceViewSet(ViewSet):
    """The cadences that managers have defined in the admin."""

    queryset = Cadence.objects.none()
    row = CadenceRow
    orderings = {"name": "name", "created_at": "created_at"}
    default_ordering = "name"

    def get_queryset(self) -> "QuerySet[Cadence]":
        return Cadence.objects.all()


class CadenceActions:
    action_permissions: ClassVar[dict[str, str]] = {"enrol": "sales.change_lead", "stop_cadence": "sales.change_lead"}

    @extend_schema(parameters=ARRAY_SCHEMA, responses=EnrolmentRow(many=True))
    @action(detail=True, filterset_class=None, pagination_class=None)
    def cadences(self: Any, request: Request, pk: str) -> Response:
        """A lead's current and past cadences, newest first, with the day reached and why it stopped."""
        read_query(request, StrictSerializer, ARRAY_PARAMETERS)
        self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        rows = EnrolmentRow.read(CadenceEnrolment.objects.filter(lead=self.pk))
        return array_response(request, rows.order_by("-started_at", "-id"))

    @extend_schema(request=EnrolmentBody, responses={201: EnrolmentRow})
    @cadences.mapping.post
    def enrol(self: Any, request: Request, pk: str) -> Response:
        """Enroll an open lead in a cadence: the first step becomes a follow-up for its owner. For owner and managers.

        409 `cadence_running`, `cadence_not_ready`, `lead_unowned`, `lead_closed`.
        """
        enrolment = cadences.enroll(by=self.caller, lead_id=self.pk, **self.read_body(EnrolmentBody))
        return Response(EnrolmentRow.of(enrolment), status=status.HTTP_201_CREATED)

    @extend_schema(request=StopBody, responses=EnrolmentRow)
    @action(detail=True, methods=["post"], url_path="stop-cadence")
    def stop_cadence(self: Any, request: Request, pk: str) -> Response:
        """Stop the lead's cadence. Its open follow-up stays. For owner and managers. 409 `no_cadence`."""
        return Response(EnrolmentRow.of(cadences.stop(by=self.caller, lead_id=self.pk, **self.read_body(StopBody))))
