"""Keeping `lead_search` true: called by whoever writes the columns that leads are found by, in the same transaction."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from sales.models import Lead, LeadSearch
from sales.models.search import IS_STALE
from sales.services import locks

_COLUMNS = ["text", "company", "company_day", "trip"]
RECENT = timedelta(days=2)


def index_leads(leads: Iterable[Lead]) -> None:
    """Write what these (locked or new, normalised) leads are found by: one statement."""
    LeadSearch.objects.bulk_create(
        map(LeadSearch.build, leads), update_conflicts=True, unique_fields=["lead"], update_fields=_COLUMNS
    )


@transaction.atomic
def index_missing_leads(most: int) -> int:
    """Do so for up to `most` leads that plain SQL has written. Returns how many.

    Those are rows that only the database has filled, and recent leads that have none.
    """
    stale = LeadSearch.objects.filter(IS_STALE).order_by("lead").values_list("lead", flat=True)[:most]
    recent = Lead.objects.filter(created_at__gte=timezone.now() - RECENT)
    missing = recent.exclude(pk__in=LeadSearch.objects.values("lead")).order_by("pk").values_list("pk", flat=True)
    leads = locks.lock_leads({*stale, *missing[:most]})
    index_leads(leads)
    return len(leads)
