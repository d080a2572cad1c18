"""Transfers: who gave which lead to whom, and why. Transfers made together share a batch, which can be undone."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from athena.accounts.models import User
from athena.db import Now
from sales.models.fields import text_field, user_field
from sales.models.follow_ups.follow_up import FollowUp
from sales.models.leads.lead import Lead, LeadRelatedQuerySet

NOT_RETURNED = Q(until__isnull=False, returned_at__isnull=True)


class TransferBatchQuerySet(models.QuerySet["TransferBatch"]):
    def visible_to(self, user: User) -> Self:
        """The batches that `user` made, and those with at least one lead that `user` may read."""
        leads = LeadTransfer.objects.visible_to(user).order_by()
        return self.filter(Q(by=user.pk) | Q(pk__in=leads.values("batch"))) if user.is_active else self.none()

    def to_return(self, today: date) -> Self:
        """Temporary transfers whose last day is before `today`, neither returned nor undone."""
        return self.filter(NOT_RETURNED, until__lt=today, undone_by__isnull=True)


class TransferBatch(models.Model):
    """Leads transferred together. `until`: the last day, on the company's calendar, of a temporary transfer."""

    by = user_field("by_id", null=True)
    reason = text_field()
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    until = models.DateField(null=True)
    returned_at = models.DateTimeField(null=True)  # when Athena returned the leads because the last day was over
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = TransferBatchQuerySet.as_manager()

    class Meta:
        db_table = "transfer_batches"
        ordering = ["-id"]
        verbose_name_plural = "transfer batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(returned_at__isnull=True) | Q(until__isnull=False), name="transfer_batches_returned"
            ),
            models.CheckConstraint(condition=~Q(undoes=F("id")), name="transfer_batches_not_itself"),
        ]
        indexes = [models.Index("until", name="idx_transfer_batches_until", condition=NOT_RETURNED)]

    def __str__(self) -> str:
        return f"Batch {self.pk}"


class LeadTransfer(models.Model):
    """The transfer of one lead from one owner (null: nobody) to another."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="transfers", db_index=False)
    batch = models.ForeignKey(TransferBatch, models.PROTECT, related_name="transfers")
    from_user = user_field("from_user_id", null=True)
    to_user = user_field("to_user_id", null=True)
    transfer_reason = text_field()
    transferred_by = user_field("transferred_by", null=True)
    transferred_at = models.DateTimeField(db_default=Now())
    notes = text_field()

    objects = LeadRelatedQuerySet.as_manager()

    class Meta:
        db_table = "lead_transfers"
        ordering = ["-transferred_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_user=F("to_user")) | Q(from_user__isnull=True) | Q(to_user__isnull=True),
                name="lead_transfers_moves",
            )
        ]
        indexes = [
            models.Index(F("lead"), F("transferred_at").desc(), F("id").desc(), name="idx_lead_transfers_lead"),
            models.Index("from_user", name="idx_lead_transfers_from"),
            models.Index("to_user", name="idx_lead_transfers_to"),
        ]

    def __str__(self) -> str:
        return f"{self.lead}: {self.from_user or 'nobody'} → {self.to_user or 'nobody'}"


class MovedFollowUp(models.Model):
    """A follow-up that moved with its lead, and its previous assignee, who gets it back if the batch is undone."""

    batch = models.ForeignKey(TransferBatch, models.PROTECT, related_name="moved_follow_ups", db_index=False)
    follow_up = models.ForeignKey(FollowUp, models.CASCADE, related_name="+", db_index=False)
    from_user = user_field("from_user_id")

    class Meta:
        db_table = "moved_follow_ups"
        constraints = [models.UniqueConstraint(fields=["batch", "follow_up"], name="moved_follow_ups_once")]

    def __str__(self) -> str:
        return f"Follow-up {self.follow_up_id} in batch {self.batch_id}"


class Turn(models.Model):
    """The user who got the last lead of a group that gets leads in turn. Locked while leads are distributed.

    `group` names a team (`team:7`), or the users that somebody chose, in any order (a hash of their ids).
    """

    group = models.CharField(max_length=64, unique=True)
    last_user = user_field("last_user_id", null=True)

    class Meta:
        db_table = "turns"

    def __str__(self) -> str:
        return self.group
