"""Keeps `lead_search` up to date. Call it in the transaction that writes the columns that leads are found by."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from sales.models import Lead, LeadSearch
from sales.models.leads.search import IS_STALE
from sales.services import locks

_COLUMNS = ["text", "company", "company_day", "trip"]
RECENT = timedelta(days=2)


def index_leads(leads: Iterable[Lead]) -> None:
    """Write the search rows of these leads in one statement. The leads are locked or new, and normalized."""
    LeadSearch.objects.bulk_create(
        map(LeadSearch.build, leads), update_conflicts=True, unique_fields=["lead"], update_fields=_COLUMNS
    )


@transaction.atomic
def index_missing_leads(limit: int) -> int:
    """Index up to `limit` leads that plain SQL has written. Returns how many.

    Those are leads whose row was filled by a database trigger, and recent leads that have no row.
    """
    stale = LeadSearch.objects.filter(IS_STALE).order_by("lead").values_list("lead", flat=True)[:limit]
    recent = Lead.objects.filter(created_at__gte=timezone.now() - RECENT)
    missing = recent.exclude(pk__in=LeadSearch.objects.values("lead")).order_by("pk").values_list("pk", flat=True)
    leads = locks.lock_leads({*stale, *missing[:limit]})
    index_leads(leads)
    return len(leads)
