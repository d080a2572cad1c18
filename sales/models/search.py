"""What leads are found by: by what people type, and by what two inquiries of the same people have in common.

Kept beside the lead, not in it: a new owner or score writes the lead's indexes, and these are the dear ones.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Q

from athena.db import Now
from sales import normalization, schedule
from sales.models.activity import LeadRelatedQuerySet
from sales.models.fields import user_field
from sales.models.lead import Lead

IS_STALE = Q(company__isnull=True)


def build_match_keys(values: Mapping[str, Any]) -> dict[str, str]:
    """By what the inquiry with these values is known again: `company`, `company_day`, `trip`; empty where unknown.

    The day is that of the pickup, where the company is.
    """
    company, pickup = normalization.normalize_company(values.get("company_name") or ""), values.get("pickup_at")
    day = pickup.astimezone(schedule.company_zone()).date().isoformat() if pickup else ""
    origin, to = (normalization.fold_text(values.get(name) or "") for name in ("pickup_location", "dropoff_location"))
    many = values.get("estimated_passengers")
    return {
        "company": company,
        "company_day": f"{day} {company}" if day and company else "",
        "trip": f"{day} {origin} > {to}: {many}" if day and origin and to and many else "",
    }


class LeadSearch(models.Model):
    """A lead's words, as `sales.normalization` spells them. On PostgreSQL `text` and `company` have trigram indexes.

    `company` is NULL where only plain SQL has written the row: the tick works it out.
    """

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="search_row")
    text = models.TextField(help_text="Company, contact, e-mail and phone, without case and accents.")
    company = models.CharField(max_length=200, null=True, help_text="The company's name without its legal form.")
    company_day = models.CharField(max_length=220, default="", db_default="")
    trip = models.CharField(max_length=450, default="", db_default="", help_text="Day, route and group size.")

    objects = LeadRelatedQuerySet.as_manager()

    class Meta:
        db_table = "lead_search"
        indexes = [
            models.Index("company_day", name="idx_lead_search_company_day", condition=~Q(company_day="")),
            models.Index("trip", name="idx_lead_search_trip", condition=~Q(trip="")),
            models.Index("lead", name="idx_lead_search_stale", condition=IS_STALE),
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def build(cls, lead: Lead) -> "LeadSearch":
        """The row for a lead whose normalised columns are filled, not yet saved."""
        texts = (lead.company_name, lead.contact_name, lead.email, lead.phone)
        numbers = (lead.phone, lead.phone_normalised or "")
        return cls(
            lead=lead, text=normalization.build_search_text(*texts, numbers=numbers), **build_match_keys(vars(lead))
        )


class NotDuplicate(models.Model):
    """Somebody looked at two leads and said that they are two."""

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
