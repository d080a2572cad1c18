"""Transfers: mixed into `/sales/leads`."""

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from athena.http import fields
from athena.http.filters import query_values
from athena.http.rows import Row
from athena.http.serializers import StrictSerializer
from athena.http.viewsets import ViewSet
from sales import errors
from sales.models import Lead, LeadTransfer
from sales.services import transfers

MOST_LEADS = 10_000


class TransferBody(StrictSerializer):
    to_user_id = fields.IdField()
    reason = fields.LongTextField(required=False)
    notes = fields.LongTextField(required=False)


class TransferQuery(TransferBody):
    to_user_id = fields.IdField(required=False)


class BulkTransferBody(StrictSerializer):
    lead_ids = serializers.ListField(child=fields.IdField(), min_length=1, max_length=MOST_LEADS)
    to_user_id = fields.IdField()
    reason = fields.LongTextField(allow_blank=False)
    notes = fields.LongTextField(required=False)
    dry_run = fields.BooleanField(required=False)


class Transferred(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    transferred_to = serializers.IntegerField()
    transfer_id = serializers.IntegerField(allow_null=True, help_text="Null where the lead was theirs already.")
    batch_id = serializers.IntegerField(allow_null=True)


class Skipped(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    code = serializers.ChoiceField(["not_found", "already_owner", "not_your_lead"])


class BulkTransferred(serializers.Serializer):  # type: ignore[type-arg]
    transferred_count = serializers.IntegerField()
    lead_ids = serializers.ListField(child=serializers.IntegerField())
    new_owner = serializers.IntegerField()
    skipped = Skipped(many=True)
    batch_id = serializers.IntegerField(allow_null=True)


class TransferRow(Row):
    id = serializers.IntegerField()
    from_user_id = serializers.IntegerField(allow_null=True)
    to_user_id = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    transferred_by = serializers.IntegerField(allow_null=True)
    transferred_at = serializers.DateTimeField()
    notes = serializers.CharField()
    batch_id = serializers.IntegerField()

    class Meta:
        expressions: ClassVar[dict[str, Any]] = {"reason": "transfer_reason"}


class TransferHistory(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    transfer_count = serializers.IntegerField()
    transfers = TransferRow(many=True)


class TransferActions(ViewSet):
    """What `/sales/leads` can do about owners."""

    rights: ClassVar[dict[str, str]] = {
        "transfer": "sales.change_lead",
        "bulk_transfer": "sales.bulk_transfer_lead",
        "transfer_history": "sales.view_leadtransfer",
    }

    @extend_schema(parameters=[TransferQuery], request=TransferBody, responses=Transferred)
    @action(detail=True, methods=["post"], query=TransferQuery)
    def transfer(self, request: Request, pk: str) -> Response:
        """Give a lead to somebody. A rep gives their own to a colleague of the team, a manager any to anybody.

        The parameters may come in the query or in the body; in both and different is an error.
        """
        self.check_sight()
        values = _from_query_and_body(query_values(request, self.query), self, TransferBody)
        to_user_id: int = values.pop("to_user_id")
        done = transfers.transfer(
            by=self.caller, leads=Lead.objects.filter(pk=self.pk), to_user_id=to_user_id, **values
        )
        codes = dict(done.skipped)
        if not done.moving and not codes:
            raise Http404
        if errors.NotYourLead.code in codes.values():
            raise errors.NotYourLead
        made = done.batch and LeadTransfer.objects.get(batch=done.batch)
        return Response(
            {
                "lead_id": self.pk,
                "transferred_to": to_user_id,
                "transfer_id": made.pk if made else None,
                "batch_id": made.batch_id if made else None,
            }
        )

    @extend_schema(request=BulkTransferBody, responses=BulkTransferred)
    @action(detail=False, methods=["post"], url_path="bulk-transfer")
    def bulk_transfer(self, request: Request) -> Response:
        """Give many leads to somebody, in one transaction. `dry_run` tells what would happen. Managers."""
        values = self.body(BulkTransferBody)
        wanted = sorted(set(values.pop("lead_ids")))
        leads = Lead.objects.filter(pk__in=wanted)
        if values.pop("dry_run", False):
            done = transfers.plan(by=self.caller, leads=leads, to_user_id=values["to_user_id"])
        else:
            done = transfers.transfer(by=self.caller, leads=leads, **values)
        known = {*done.lead_ids, *(lead_id for lead_id, _ in done.skipped)}
        skipped = done.skipped + [(lead_id, "not_found") for lead_id in wanted if lead_id not in known]
        batch = getattr(done, "batch", None)
        return Response(
            {
                "transferred_count": len(done.moving),
                "lead_ids": done.lead_ids,
                "new_owner": done.receiver.pk,
                "skipped": [{"lead_id": lead_id, "code": code} for lead_id, code in sorted(skipped)],
                "batch_id": batch.pk if batch else None,
            }
        )

    @extend_schema(responses=TransferHistory)
    @action(detail=True, url_path="transfer-history")
    def transfer_history(self, request: Request, pk: str) -> Response:
        """Who gave the lead to whom, newest first."""
        query_values(request, StrictSerializer)
        self.found(self.get_queryset().filter(pk=self.pk).values("pk"))
        history = LeadTransfer.objects.filter(lead=self.pk).order_by("-transferred_at", "-id")
        rows = list(TransferRow.read(history))
        return Response({"lead_id": self.pk, "transfer_count": len(rows), "transfers": rows})


def _from_query_and_body(query: dict[str, Any], view: ViewSet, shape: type[StrictSerializer]) -> dict[str, Any]:
    """Parameters that may come either way. Raises `ValidationError` where both say something different."""
    body = shape(data=view.request.data, partial=True)
    body.is_valid(raise_exception=True)
    clash = {
        name: ["The query and the body differ."]
        for name in query
        if body.validated_data.get(name, query[name]) != query[name]
    }
    if clash:
        raise ValidationError(clash)
    values = {**query, **body.validated_data}
    if "to_user_id" not in values:
        raise ValidationError({"to_user_id": ["This field is required."]})
    return values
