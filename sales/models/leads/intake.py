"""Intake forms on the company's websites, and the inquiries received through them."""

from django.db import models
from django.db.models import F

from athena.db import Now
from athena.http.origins import origin_or_empty
from sales.models.fields import unique_name_constraint
from sales.models.leads.lead import Lead, LeadRelatedQuerySet
from sales.models.leads.source import LeadSource


class IntakeForm(models.Model):
    """A public form that takes inquiries in."""

    name = models.CharField(max_length=100, unique=True, help_text="Shown in the activity log.")
    key = models.CharField(max_length=64, unique=True, editable=False)
    allowed_origins = models.TextField(
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text="Sites that may embed the form or post to it: one origin per line, such as https://www.example.com.",
    )
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="+", help_text="The source of its leads."
    )
    thank_you_url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="The page to open after sending. If empty, Athena shows its own.",
    )
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "intake_forms"
        ordering = ["name"]
        constraints = [unique_name_constraint("intake_forms_name_in_any_case", "name")]

    def __str__(self) -> str:
        return self.name

    @property
    def origins(self) -> list[str]:
        """The origins that may use the form, as browsers spell them. Text that is no origin is kept as written."""
        return [origin_or_empty(text) or text for text in self.allowed_origins.split()]


class Inquiry(models.Model):
    """One inquiry received through a form: its lead, and the fingerprint that recognizes it when it is sent twice."""

    form = models.ForeignKey(IntakeForm, models.PROTECT, related_name="inquiries", db_index=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="inquiries")
    reference = models.CharField(max_length=20, unique=True)
    fingerprint = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_default=Now())

    objects = LeadRelatedQuerySet.as_manager()

    class Meta:
        db_table = "intake_inquiries"
        ordering = ["-id"]
        verbose_name_plural = "inquiries"
        indexes = [
            models.Index(F("form"), F("fingerprint"), F("received_at").desc(), name="idx_inquiries_again"),
        ]

    def __str__(self) -> str:
        return self.reference
