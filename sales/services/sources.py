"""What managers keep: sources, what they cost, and the reasons for losing a lead."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from athena.accounts.models import User
from sales import errors, policy
from sales.models import LeadSource, LostReason, SourceSpend


@transaction.atomic
def save(*, by: User | None, row: LeadSource | SourceSpend | LostReason) -> None:
    """Write a new or changed (and validated) row. Raises `NotAllowed` below manager."""
    policy.require_manager(by)
    row.save()


@transaction.atomic
def create(*, by: User | None, values: Mapping[str, Any]) -> LeadSource:
    """A new source. Raises `NotAllowed` below manager, `Invalid`."""
    policy.require_manager(by)
    source = LeadSource(**values)
    _save_valid(source)
    return source


@transaction.atomic
def update(*, by: User | None, source_id: int, changes: Mapping[str, Any]) -> LeadSource:
    """Change a source. Raises `NotFound`, `NotAllowed` below manager, `Invalid`."""
    policy.require_manager(by)
    source = LeadSource.objects.select_for_update().filter(pk=source_id).first()
    if source is None:
        raise errors.NotFound("There is no such source.")
    for name, value in changes.items():
        setattr(source, name, value)
    _save_valid(source)
    return source


@transaction.atomic
def set_spend(
    *, by: User | None, source_id: int, month: date, amount: Decimal, campaign: str = ""
) -> tuple[SourceSpend, bool]:
    """Say what a source, or one campaign of it, cost in a month (its first day); and whether that is new.

    What was said before is replaced. Raises `NotFound`, `NotAllowed` below manager, `Invalid`.
    """
    policy.require_manager(by)
    source = LeadSource.objects.select_for_update().filter(pk=source_id).first()
    if source is None:
        raise errors.NotFound("There is no such source.")
    if month.day != 1:
        raise errors.Invalid({"month": "Give the first day of the month."})
    return SourceSpend.objects.update_or_create(
        source=source, campaign=campaign, month=month, defaults={"amount": amount}
    )


@transaction.atomic
def delete_spend(*, by: User | None, row: SourceSpend) -> None:
    """Take back an amount that was entered wrongly. Raises `NotAllowed` below manager."""
    policy.require_manager(by)
    row.delete()


def _save_valid(source: LeadSource) -> None:
    """Write a source that holds what a source must. Raises `Invalid`."""
    try:
        source.full_clean()
    except ValidationError as error:
        wrong = {name: " ".join(why) for name, why in error.message_dict.items()}
        raise errors.Invalid(
            {"name" if name == NON_FIELD_ERRORS else name: why for name, why in wrong.items()}
        ) from None
    source.save()
