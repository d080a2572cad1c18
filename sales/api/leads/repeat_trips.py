"""`/sales/leads/call-again`: trips that are likely to come again; `/sales/leads/{id}/repeat`: a new lead of one."""

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
    @action(detail=False, url_path="call-again", orderings={"pickup_at": "pickup_at"}, default_ordering="pickup_at",
            filterset_class=StrictFilterSet)  # fmt: skip
    def call_again(self: Any, request: Request) -> Response:
        """Won trips whose anniversary comes in some months (6 to 9, unless set otherwise), soonest first.

        Not those of which a new lead was made already, nor those of clients who have an open lead that you may read.
        """
        answer: Response = self.list_page(LeadRow, self.get_queryset().call_again(self.caller))
        return answer

    @extend_schema(request=None, responses={201: LeadDetail})
    @action(detail=True, methods=["post"])
    def repeat(self: Any, request: Request, pk: str) -> Response:
        """Make a new lead of a won trip, on its next anniversary, for the same owner, with a call to its client.

        Owner or manager. 409 `not_won`, `already_repeated`.
        """
        self.read_body(StrictSerializer)
        return Response(
            LeadDetail.of(repeat_trips.repeat_trip(by=self.caller, lead_id=self.pk)), status=status.HTTP_201_CREATED
        )
