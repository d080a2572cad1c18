"""Pairs of leads that somebody has marked as not duplicates."""

from django.db import models
from django.db.models import Q

from athena.db import Now
from sales.models.fields import user_field
from sales.models.leads.lead import Lead


class NotDuplicate(models.Model):
    """A pair of leads that somebody has marked as not duplicates."""

    first = models.ForeignKey(Lead, models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    by = user_field("by_id", null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "not_duplicates"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_duplicates_once"),
            models.CheckConstraint(condition=Q(first__lt=models.F("second")), name="not_duplicates_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} is not {self.second_id}"
