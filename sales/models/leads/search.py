"""The search text of leads, and the keys by which two inquiries about the same trip are matched.

They have a table of their own because their indexes are expensive: a new owner or score, which updates all indexes of
`leads`, does not touch them.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Q

from sales import normalization, schedule
from sales.models.leads.lead import Lead, LeadRelatedQuerySet

# The fields of a lead that a search looks in, and those that `build_match_keys` compares.
SEARCHED_FIELDS = ("company_name", "contact_name", "email", "phone")
MATCHED_FIELDS = ("company_name", "pickup_at", "pickup_location", "dropoff_location", "estimated_passengers")

IS_STALE = Q(company__isnull=True)


def build_match_keys(values: Mapping[str, Any]) -> dict[str, str]:
    """The match keys of an inquiry: `company`, `company_day` and `trip`; empty where the values are unknown.

    `values` maps field names of a lead to values. The day is the pickup's, in the company's time zone.
    """
    company, pickup = normalization.normalize_company(values.get("company_name") or ""), values.get("pickup_at")
    day = pickup.astimezone(schedule.company_zone()).date().isoformat() if pickup else ""
    origin, destination = (
        normalization.fold_text(values.get(name) or "") for name in ("pickup_location", "dropoff_location")
    )
    passengers = values.get("estimated_passengers")
    is_trip_known = day and origin and destination and passengers
    return {
        "company": company,
        "company_day": f"{day} {company}" if day and company else "",
        "trip": f"{day} {origin} > {destination}: {passengers}" if is_trip_known else "",
    }


class LeadSearch(models.Model):
    """A lead's search text and match keys, normalized by `sales.normalization`.

    On PostgreSQL `text` and `company` have trigram indexes. `company` is NULL where a trigger wrote the row for plain
    SQL; the tick fills it in.
    """

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="search_row")
    text = models.TextField(help_text="Company, contact, email and phone, without case and accents.")
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
        """The unsaved search row of a lead whose normalized columns are filled."""
        texts = (getattr(lead, name) for name in SEARCHED_FIELDS)
        numbers = (lead.phone, lead.phone_normalised or "")
        return cls(
            lead=lead, text=normalization.build_search_text(*texts, numbers=numbers), **build_match_keys(vars(lead))
        )
