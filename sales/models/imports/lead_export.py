"""Exports of leads: who took which leads out as a file, and how many."""

from django.db import models
from django.db.models import Q

from athena.db import Now
from sales.models.fields import user_field
from sales.models.imports.lead_import import OwnFilesQuerySet


class LeadExport(models.Model):
    """An export of leads. `leads` is their number, or None if the download was cut off."""

    by = user_field("by_id")
    file_format = models.CharField(max_length=4, choices=[("csv", "CSV"), ("xlsx", "Excel")])
    filters = models.JSONField(default=dict)  # of the list, as they were in its address
    leads = models.IntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OwnFilesQuerySet.as_manager()

    class Meta:
        db_table = "lead_exports"
        ordering = ["-id"]
        verbose_name = "export"
        constraints = [
            models.CheckConstraint(condition=Q(file_format__in=["csv", "xlsx"]), name="lead_exports_format_known")
        ]

    def __str__(self) -> str:
        return f"Export {self.pk}"
