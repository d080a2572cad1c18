"""The forms on the company's web sites, and what has come in by them."""

from django.db import models
from django.db.models import F

from athena.db import Now
from athena.http.origins import origin_or_empty
from sales.models.activity import OfVisibleLeads
from sales.models.fields import unique_name
from sales.models.lead import Lead
from sales.models.source import LeadSource


class IntakeForm(models.Model):
    name = models.CharField(max_length=100, unique=True, help_text="Shown in the activity log.")
    key = models.CharField(max_length=64, unique=True, editable=False)
    allowed_origins = models.TextField(
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text="Sites that may show the form in a frame or send to it: one origin a line, https://www.example.com.",
    )
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="+", help_text="Where its leads come from."
    )
    thank_you_url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Where people go afterwards; without one, to a page of Athena's own.",
    )
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "intake_forms"
        ordering = ["name"]
        constraints = [unique_name("intake_forms_name_in_any_case", "name")]

    def __str__(self) -> str:
        return self.name

    @property
    def origins(self) -> list[str]:
        """The sites that may use it, as browsers name them; as it is written what names none."""
        return [origin_or_empty(text) or text for text in self.allowed_origins.split()]


class Inquiry(models.Model):
    """One thing that came in by a form: which lead it is about, and how to know it again when it is sent twice."""

    form = models.ForeignKey(IntakeForm, models.PROTECT, related_name="inquiries", db_index=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="inquiries")
    reference = models.CharField(max_length=20, unique=True)
    fingerprint = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_default=Now())

    objects = OfVisibleLeads.as_manager()

    class Meta:
        db_table = "intake_inquiries"
        ordering = ["-id"]
        verbose_name_plural = "inquiries"
        indexes = [
            models.Index(F("form"), F("fingerprint"), F("received_at").desc(), name="idx_inquiries_again"),
        ]

    def __str__(self) -> str:
        return self.reference
