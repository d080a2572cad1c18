"""Duplicates and merging: mixed into `/sales/leads`."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.serializers import StrictSerializer
from athena.api.viewsets import ViewSet
from sales.api.serializers.leads import DuplicateRow, LeadDetail
from sales.models import Lead
from sales.queries.leads import duplicates
from sales.services.leads import merging


class MergeBody(StrictSerializer):
    duplicate_ids = fields.ListField(child=fields.IdField(), min_length=1, max_length=merging.MAX_MERGED_LEADS)


class OtherLeadBody(StrictSerializer):
    lead_id = fields.IdField()


class Duplicates(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    duplicates = DuplicateRow(many=True)


class DuplicateActions(ViewSet):
    """What `/sales/leads` can do about the same inquiry twice."""

    action_permissions: ClassVar[dict[str, str]] = {
        "duplicates": "sales.view_lead",
        "merge": "sales.merge_lead",
        "not_duplicate": "sales.change_lead",
    }

    @extend_schema(responses=Duplicates)
    @action(detail=True)
    def duplicates(self, request: Request, pk: str) -> Response:
        """The open leads that may be about the same inquiry, the surest first: 20 at most, of those you may see."""
        read_query(request, StrictSerializer)
        lead: Lead = self.get_or_404(self.get_queryset().filter(pk=self.pk))
        found = [DuplicateRow.of(match) for match in duplicates.find_duplicates_of_lead(self.caller, lead)]
        return Response({"lead_id": lead.pk, "duplicates": found})

    @extend_schema(request=MergeBody, responses=LeadDetail)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Make one lead of several: this one is kept, with all that was done about the others. Managers.

        Its empty fields are filled from them, the oldest first; they are archived.
        """
        self.check_visible()
        lead = merging.merge_leads(by=self.caller, lead_id=self.pk, **self.read_body(MergeBody))
        return Response(LeadDetail.of(lead))

    @extend_schema(request=OtherLeadBody, responses={204: None})
    @action(detail=True, methods=["post"], url_path="not-duplicate")
    def not_duplicate(self, request: Request, pk: str) -> Response:
        """Remember that another lead is another inquiry: the two are not shown as duplicates again."""
        self.check_visible()
        merging.dismiss_duplicate(by=self.caller, lead_id=self.pk, other_id=self.read_body(OtherLeadBody)["lead_id"])
        return Response(status=status.HTTP_204_NO_CONTENT)
