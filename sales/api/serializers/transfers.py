"""Transfers of leads: what comes in and what goes out."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from athena.api import fields
from athena.api.serializers import Row, StrictSerializer
from sales.services.ownership.distribution import DistributionMethod

MAX_LEADS, MAX_RECEIVERS = 10_000, 200


class TransferBody(StrictSerializer):
    """The parameters of a transfer that are not in the query. `to_user_id` is required in one of the two."""

    to_user_id = fields.IdField(required=False)
    reason = fields.LongTextField(required=False)
    notes = fields.LongTextField(required=False)


class TransferQuery(TransferBody):
    """The parameters of a transfer that are in the query."""


class ReceiverBody(StrictSerializer):
    user_id = fields.IdField()


class BulkTransferBody(StrictSerializer):
    lead_ids = fields.ListField(child=fields.IdField(), min_length=1, max_length=MAX_LEADS)
    to_user_id = fields.IdField(required=False)
    receivers = fields.ListField(
        child=ReceiverBody(),
        required=False,
        min_length=1,
        max_length=MAX_RECEIVERS,
        help_text="Instead of `to_user_id`, to share the leads among several users.",
    )
    way = fields.ChoiceField(
        choices=[(method.value, method.name) for method in DistributionMethod],
        required=False,
        help_text=(
            "How several receivers share the leads: `in_turn` (the default), or `fewest_open`, which always picks the "
            "receiver with the fewest open leads."
        ),
    )
    reason = fields.LongTextField(allow_blank=False)
    notes = fields.LongTextField(required=False)
    until = fields.DateField(
        required=False,
        allow_null=True,
        help_text="The last day of a temporary transfer: after it, Athena returns the leads that are still open.",
    )
    dry_run = fields.BooleanField(required=False, help_text="Show what would happen, and change nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "to_user_id" in attrs and "receivers" in attrs:
            raise ValidationError({"receivers": "Give either to_user_id or receivers, not both."})
        if "to_user_id" not in attrs and "receivers" not in attrs:
            raise ValidationError({"to_user_id": "This field is required."})
        if "way" in attrs and "receivers" not in attrs:
            raise ValidationError({"way": "This goes only with receivers."})
        if "receivers" in attrs:
            attrs["receivers"] = [receiver["user_id"] for receiver in attrs["receivers"]]
        return attrs


class Transferred(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    transferred_to = serializers.IntegerField()
    transfer_id = serializers.IntegerField(allow_null=True, help_text="Null if they owned the lead already.")
    batch_id = serializers.IntegerField(allow_null=True)


class Skipped(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    code = serializers.ChoiceField(
        ["not_found", "already_owner", "not_your_lead", "no_capacity", "moved_since", "archived", "owner_inactive"]
    )


class ReceiverShare(serializers.Serializer[Any]):
    user_id = serializers.IntegerField(allow_null=True, help_text="Null: the leads are unassigned again.")
    count = serializers.IntegerField()


class BulkTransferred(serializers.Serializer[Any]):
    transferred_count = serializers.IntegerField()
    lead_ids = serializers.ListField(child=serializers.IntegerField())
    new_owner = serializers.IntegerField(allow_null=True, help_text="Null if there are several, or none.")
    receivers = ReceiverShare(many=True)
    follow_ups = serializers.IntegerField(help_text="How many open follow-ups move with the leads.")
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
    until = serializers.DateField(allow_null=True, help_text="The last day, if the transfer was temporary.")

    class Meta:
        expressions: ClassVar[Mapping[str, str]] = {
            "reason": "transfer_reason",
            "from_user_name": "from_user__full_name",
            "to_user_name": "to_user__full_name",
            "transferred_by_name": "transferred_by__full_name",
            "until": "batch__until",
        }


class TransferHistory(serializers.Serializer[Any]):
    lead_id = serializers.IntegerField()
    transfer_count = serializers.IntegerField()
    transfers = TransferRow(many=True)
