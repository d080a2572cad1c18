"""What managers keep: sources, what they cost, and the reasons for losing a lead."""

from django.db import transaction

from athena.accounts.models import User
from sales import policy
from sales.models import LeadSource, LostReason, SourceSpend


@transaction.atomic
def save(*, by: User | None, row: LeadSource | SourceSpend | LostReason) -> None:
    """Write a new or changed (and validated) row. Raises `NotAllowed` below manager."""
    policy.require_manager(by)
    row.save()


@transaction.atomic
def delete_spend(*, by: User | None, row: SourceSpend) -> None:
    """Take back an amount that was entered wrongly. Raises `NotAllowed` below manager."""
    policy.require_manager(by)
    row.delete()
