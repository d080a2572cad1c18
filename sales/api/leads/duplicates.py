"""`/sales/leads/{id}/duplicates`, `merge` and `not-duplicate`, mixed into `/sales/leads`."""

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
    """The actions of `/sales/leads` for duplicates."""

    action_permissions: ClassVar[dict[str, str]] = {
        "duplicates": "sales.view_lead",
        "merge": "sales.merge_lead",
        "not_duplicate": "sales.change_lead",
    }

    @extend_schema(responses=Duplicates)
    @action(detail=True)
    def duplicates(self, request: Request, pk: str) -> Response:
        """List up to 20 open leads that may be duplicates of this one and that you may see, strongest match first."""
        read_query(request, StrictSerializer)
        lead: Lead = self.get_or_404(self.get_queryset().filter(pk=self.pk))
        rows = [DuplicateRow.of(match) for match in duplicates.find_duplicates_of_lead(self.caller, lead)]
        return Response({"lead_id": lead.pk, "duplicates": rows})

    @extend_schema(request=MergeBody, responses=LeadDetail)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other leads into this one. Managers only.

        This lead gets their activities, follow-ups and changes; its empty fields are filled from them, oldest first.
        The others are archived.
        """
        self.check_visible()
        lead = merging.merge_leads(by=self.caller, lead_id=self.pk, **self.read_body(MergeBody))
        return Response(LeadDetail.of(lead))

    @extend_schema(request=OtherLeadBody, responses={204: None})
    @action(detail=True, methods=["post"], url_path="not-duplicate")
    def not_duplicate(self, request: Request, pk: str) -> Response:
        """Mark another lead as not a duplicate of this one: the two are not shown as duplicates again."""
        self.check_visible()
        merging.dismiss_duplicate(by=self.caller, lead_id=self.pk, other_id=self.read_body(OtherLeadBody)["lead_id"])
        return Response(status=status.HTTP_204_NO_CONTENT)
