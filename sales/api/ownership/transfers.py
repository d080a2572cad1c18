"""`/sales/transfers`, and the actions of `/sales/leads` that transfer leads."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api.filters import read_query
from athena.api.serializers import StrictSerializer
from athena.api.viewsets import ActionViewSet, ViewSet
from sales import errors
from sales.api.serializers.transfers import (
    BulkTransferBody,
    BulkTransferred,
    TransferBody,
    TransferHistory,
    TransferQuery,
    Transferred,
    TransferRow,
)
from sales.models import Lead, LeadTransfer, TransferBatch
from sales.services.ownership import transfer_undo, transfers
from sales.services.ownership.transfer_writes import TransferPlan, TransferResult


class TransferActions(ViewSet):
    """The actions on leads that are about their owners."""

    action_permissions: ClassVar[dict[str, str]] = {
        "transfer": "sales.change_lead",
        "bulk_transfer": "sales.bulk_transfer_lead",
        "transfer_history": "sales.view_leadtransfer",
    }

    @extend_schema(parameters=[TransferQuery], request=TransferBody, responses=Transferred)
    @action(detail=True, methods=["post"], query=TransferQuery)
    def transfer(self, request: Request, pk: str) -> Response:
        """Transfer a lead to another user.

        Salespeople give their own leads to members of their team; managers give any lead to anybody. Parameters may be
        in the query or in the body; if one is in both with different values, the request fails.
        """
        self.check_visible()
        values = _merge_query_and_body(read_query(request, self.query), self, TransferBody)
        to_user_id: int = values.pop("to_user_id")
        leads = Lead.objects.filter(pk=self.pk)
        result = transfers.transfer(by=self.caller, leads=leads, to_user_id=to_user_id, **values)
        skip_codes = dict(result.skipped)
        if not result.moves and not skip_codes:
            raise Http404
        for error in (errors.NotYourLead, errors.NoCapacity):
            if error.code in skip_codes.values():
                raise error
        transfer = LeadTransfer.objects.get(batch=result.batch) if result.batch else None
        return Response(
            {
                "lead_id": self.pk,
                "transferred_to": to_user_id,
                "transfer_id": transfer.pk if transfer else None,
                "batch_id": transfer.batch_id if transfer else None,
            }
        )

    @extend_schema(request=BulkTransferBody, responses=BulkTransferred)
    @action(detail=False, methods=["post"], url_path="bulk-transfer")
    def bulk_transfer(self, request: Request) -> Response:
        """Transfer many leads to one user, or share them among several, in one transaction. Managers.

        `dry_run` shows what would happen, and changes nothing. With `until`, Athena returns the leads afterwards.
        """
        values = self.read_body(BulkTransferBody)
        lead_ids = sorted(set(values["lead_ids"]))
        target: dict[str, Any] = {name: values[name] for name in ("to_user_id", "receivers", "until") if name in values}
        if "way" in values:
            target["method"] = values["way"]
        leads = Lead.objects.filter(pk__in=lead_ids)
        result: TransferPlan
        if values.get("dry_run", False):
            result = transfers.plan(by=self.caller, leads=leads, **target)
        else:
            notes = values.get("notes", "")
            result = transfers.transfer(by=self.caller, leads=leads, reason=values["reason"], notes=notes, **target)
        known_ids = {*result.lead_ids, *(lead_id for lead_id, _ in result.skipped)}
        missing = [(lead_id, errors.NotFound.code) for lead_id in lead_ids if lead_id not in known_ids]
        return Response(_present_result(result, missing, values.get("to_user_id")))

    @extend_schema(responses=TransferHistory)
    @action(detail=True, url_path="transfer-history")
    def transfer_history(self, request: Request, pk: str) -> Response:
        """Who gave the lead to whom, newest first."""
        read_query(request, StrictSerializer)
        self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))
        history = LeadTransfer.objects.filter(lead=self.pk).order_by("-transferred_at", "-id")
        rows = list(TransferRow.read(history))
        return Response({"lead_id": self.pk, "transfer_count": len(rows), "transfers": rows})


class TransferViewSet(ActionViewSet):
    """Transfer batches."""

    action_permissions: ClassVar[dict[str, str]] = {"undo": "sales.undo_transferbatch"}

    def check_visible(self) -> None:
        if not TransferBatch.objects.visible_to(self.caller).filter(pk=self.pk).exists():
            raise Http404

    @extend_schema(request=None, responses=BulkTransferred)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Undo a transfer: give back the leads that have not moved since, with their follow-ups.

        For the user who made the transfer, and for administrators.
        """
        self.check_visible()
        self.read_body(StrictSerializer)
        return Response(_present_result(transfer_undo.undo(by=self.caller, batch_id=self.pk)))


def _present_result(
    result: TransferPlan, missing: Sequence[tuple[int, str]] = (), to_user_id: int | None = None
) -> dict[str, Any]:
    """A plan or its result as `BulkTransferred`; `missing` are leads that the caller can't see, with a code."""
    receivers = [
        {"user_id": total.user.pk if total.user else None, "count": total.lead_count}
        for total in result.receiver_totals
    ]
    batch = result.batch if isinstance(result, TransferResult) else None
    return {
        "transferred_count": len(result.moves),
        "lead_ids": result.lead_ids,
        "new_owner": receivers[0]["user_id"] if len(receivers) == 1 else to_user_id,
        "receivers": receivers,
        "follow_ups": result.follow_up_count,
        "skipped": [{"lead_id": lead_id, "code": code} for lead_id, code in sorted([*result.skipped, *missing])],
        "batch_id": batch.pk if batch else None,
    }


def _merge_query_and_body(query: dict[str, Any], view: ViewSet, body_class: type[StrictSerializer]) -> dict[str, Any]:
    """Parameters that may be in the query or in the body. Raises `ValidationError` where the two differ."""
    body = body_class(data=view.request.data)
    body.is_valid(raise_exception=True)
    conflicts = {
        name: ["The query and the body differ."]
        for name in query
        if body.validated_data.get(name, query[name]) != query[name]
    }
    if conflicts:
        raise ValidationError(conflicts)
    values = {**query, **body.validated_data}
    if "to_user_id" not in values:
        raise ValidationError({"to_user_id": ["This field is required."]})
    return values
