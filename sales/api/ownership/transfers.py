"""`/sales/transfers`, and what is mixed into `/sales/leads`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.serializers import Row, StrictSerializer
from athena.api.viewsets import ActionViewSet, ViewSet
from sales import errors
from sales.models import Lead, LeadTransfer, TransferBatch
from sales.services.ownership import transfer_undo, transfers
from sales.services.ownership.transfer_writes import TransferPlan, TransferResult

MOST_LEADS, MOST_RECEIVERS = 10_000, 200


class TransferBody(StrictSerializer):
    """What the query does not say. (Who gets the lead must be said in one of the two.)"""

    to_user_id = fields.IdField(required=False)
    reason = fields.LongTextField(required=False)
    notes = fields.LongTextField(required=False)


class TransferQuery(TransferBody): ...


class ReceiverBody(StrictSerializer):
    user_id = fields.IdField()


class BulkTransferBody(StrictSerializer):
    lead_ids = fields.ListField(child=fields.IdField(), min_length=1, max_length=MOST_LEADS)
    to_user_id = fields.IdField(required=False)
    receivers = fields.ListField(
        child=ReceiverBody(),
        required=False,
        min_length=1,
        max_length=MOST_RECEIVERS,
        help_text="Instead of to_user_id.",
    )
    way = fields.ChoiceField(
        choices=[(way.value, way.name) for way in transfers.DistributionMethod],
        required=False,
        help_text="How several receivers share the leads: in turn, which is the default, or fewest open leads first.",
    )
    reason = fields.LongTextField(allow_blank=False)
    notes = fields.LongTextField(required=False)
    until = fields.DateField(
        required=False, allow_null=True, help_text="The last day; after it Athena gives back what is still open."
    )
    dry_run = fields.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "to_user_id" in attrs and "receivers" in attrs:
            raise ValidationError({"receivers": "Give either to_user_id or receivers."})
        if "to_user_id" not in attrs and "receivers" not in attrs:
            raise ValidationError({"to_user_id": "This field is required."})
        if "way" in attrs and "receivers" not in attrs:
            raise ValidationError({"way": "This is about several receivers."})
        if "receivers" in attrs:
            attrs["receivers"] = [each["user_id"] for each in attrs["receivers"]]
        return attrs


class Transferred(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    transferred_to = serializers.IntegerField()
    transfer_id = serializers.IntegerField(allow_null=True, help_text="Null where the lead was theirs already.")
    batch_id = serializers.IntegerField(allow_null=True)


class Skipped(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    code = serializers.ChoiceField(
        ["not_found", "already_owner", "not_your_lead", "no_capacity", "moved_since", "archived", "owner_inactive"]
    )


class ReceiverShare(serializers.Serializer):  # type: ignore[type-arg]
    user_id = serializers.IntegerField(allow_null=True, help_text="Null: nobody owns them, as before.")
    count = serializers.IntegerField()


class BulkTransferred(serializers.Serializer):  # type: ignore[type-arg]
    transferred_count = serializers.IntegerField()
    lead_ids = serializers.ListField(child=serializers.IntegerField())
    new_owner = serializers.IntegerField(allow_null=True, help_text="Null where it is not one person.")
    receivers = ReceiverShare(many=True)
    follow_ups = serializers.IntegerField(help_text="How many open follow-ups go with the leads.")
    skipped = Skipped(many=True)
    batch_id = serializers.IntegerField(allow_null=True)


class TransferRow(Row):
    id = serializers.IntegerField()
    from_user_id = serializers.IntegerField(allow_null=True)
    from_user_name = serializers.CharField(allow_null=True)
    to_user_id = serializers.IntegerField(allow_null=True)
    to_user_name = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    transferred_by = serializers.IntegerField(allow_null=True, help_text="Null: Athena itself.")
    transferred_by_name = serializers.CharField(allow_null=True)
    transferred_at = serializers.DateTimeField()
    notes = serializers.CharField()
    batch_id = serializers.IntegerField()
    until = serializers.DateField(allow_null=True, help_text="The last day, where the lead was given for a time.")

    class Meta:
        expressions: ClassVar[dict[str, Any]] = {
            "reason": "transfer_reason",
            "from_user_name": "from_user__full_name",
            "to_user_name": "to_user__full_name",
            "transferred_by_name": "transferred_by__full_name",
            "until": "batch__until",
        }


class TransferHistory(serializers.Serializer):  # type: ignore[type-arg]
    lead_id = serializers.IntegerField()
    transfer_count = serializers.IntegerField()
    transfers = TransferRow(many=True)


class TransferActions(ViewSet):
    """What `/sales/leads` can do about owners."""

    action_permissions: ClassVar[dict[str, str]] = {
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
        self.check_visible()
        values = _from_query_and_body(read_query(request, self.query), self, TransferBody)
        to_user_id: int = values.pop("to_user_id")
        done = transfers.transfer(
            by=self.caller, leads=Lead.objects.filter(pk=self.pk), to_user_id=to_user_id, **values
        )
        codes = dict(done.skipped)
        if not done.moves and not codes:
            raise Http404
        for refusal in (errors.NotYourLead, errors.NoCapacity):
            if refusal.code in codes.values():
                raise refusal
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
        """Give many leads to somebody, or share them out, in one transaction. Managers.

        `dry_run` tells what would happen and writes nothing. With `until` the leads come back by themselves.
        """
        values = self.read_body(BulkTransferBody)
        wanted = sorted(set(values.pop("lead_ids")))
        leads = Lead.objects.filter(pk__in=wanted)
        if values.pop("dry_run", False):
            texts = {"reason", "notes"}
            only = {name: value for name, value in values.items() if name not in texts}
            done = transfers.plan(by=self.caller, leads=leads, **only)
        else:
            done = transfers.transfer(by=self.caller, leads=leads, **values)
        known = {*done.lead_ids, *(lead_id for lead_id, _ in done.skipped)}
        missing = [(lead_id, "not_found") for lead_id in wanted if lead_id not in known]
        return Response(_answer(done, missing, values.get("to_user_id")))

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
    """Transfers that were made together."""

    action_permissions: ClassVar[dict[str, str]] = {"undo": "sales.undo_transferbatch"}

    def check_visible(self) -> None:
        if not TransferBatch.objects.visible_to(self.caller).filter(pk=self.pk).exists():
            raise Http404

    @extend_schema(request=None, responses=BulkTransferred)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Give back what has not moved since, with its follow-ups. For who made the transfer, or an administrator."""
        self.check_visible()
        self.read_body(StrictSerializer)
        return Response(_answer(transfer_undo.undo(by=self.caller, batch_id=self.pk)))


def _answer(
    done: TransferPlan, missing: Sequence[tuple[int, str]] = (), to_user_id: int | None = None
) -> dict[str, Any]:
    shares = [(share.user.pk if share.user else None, share.leads) for share in done.shares]
    batch = done.batch if isinstance(done, TransferResult) else None
    return {
        "transferred_count": len(done.moves),
        "lead_ids": done.lead_ids,
        "new_owner": shares[0][0] if len(shares) == 1 else to_user_id,
        "receivers": [{"user_id": user_id, "count": count} for user_id, count in shares],
        "follow_ups": done.follow_ups,
        "skipped": [{"lead_id": lead_id, "code": code} for lead_id, code in sorted([*done.skipped, *missing])],
        "batch_id": batch.pk if batch else None,
    }


def _from_query_and_body(query: dict[str, Any], view: ViewSet, shape: type[StrictSerializer]) -> dict[str, Any]:
    """Parameters that may come either way. Raises `ValidationError` where both say something different."""
    body = shape(data=view.request.data)
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
