"""Who gave which lead to whom, and why. Transfers made together share a batch, which can be undone."""

from django.db import models
from django.db.models import F, Q

from athena.db import Now
from sales.models.activity import OfVisibleLeads
from sales.models.fields import long_text, user_key
from sales.models.lead import Lead


class TransferBatch(models.Model):
    by = user_key("by_id", null=True)
    reason = long_text()
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "transfer_batches"
        ordering = ["-id"]
        verbose_name_plural = "transfer batches"

    def __str__(self) -> str:
        return f"Batch {self.pk}"


class LeadTransfer(models.Model):
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="transfers", db_index=False)
    batch = models.ForeignKey(TransferBatch, models.PROTECT, related_name="transfers")
    from_user = user_key("from_user_id", null=True)
    to_user = user_key("to_user_id", null=True)
    transfer_reason = long_text()
    transferred_by = user_key("transferred_by", null=True)
    transferred_at = models.DateTimeField(db_default=Now())
    notes = long_text()

    objects = OfVisibleLeads.as_manager()

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
        return f"Lead {self.lead_id}: {self.from_user_id} → {self.to_user_id}"
