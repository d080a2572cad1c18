"""`/sales/leads/call-again` lists won trips to offer again; `/sales/leads/{id}/repeat` creates a repeat lead."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api.filters import StrictFilterSet
from athena.api.serializers import StrictSerializer
from sales.api.serializers.leads import LeadDetail, LeadRow
from sales.services.leads import repeat_trips


class RepeatActions:
    action_permissions: ClassVar[dict[str, str]] = {"repeat": "sales.add_lead"}

    @extend_schema(responses=LeadRow(many=True))
    @action(
        detail=False,
        url_path="call-again",
        orderings={"pickup_at": "pickup_at"},
        default_ordering="pickup_at",
        filterset_class=StrictFilterSet,
    )
    def call_again(self: Any, request: Request) -> Response:
        """List won trips whose anniversary is 6 to 9 months away (by default), soonest first.

        Trips that have a repeat lead are left out, and so are trips of clients with an open lead that you may read.
        """
        answer: Response = self.list_page(LeadRow, self.get_queryset().call_again(self.caller))
        return answer

    @extend_schema(request=None, responses={201: LeadDetail})
    @action(detail=True, methods=["post"])
    def repeat(self: Any, request: Request, pk: str) -> Response:
        """Create a lead that repeats a won trip on its next anniversary, and plan a call for its owner.

        Only the lead's owner or a manager may. Errors: 409 `not_won`, `already_repeated`.
        """
        self.read_body(StrictSerializer)
        return Response(
            LeadDetail.of(repeat_trips.repeat_trip(by=self.caller, lead_id=self.pk)), status=status.HTTP_201_CREATED
        )
