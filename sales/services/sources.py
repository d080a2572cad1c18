"""What managers keep: sources, what they cost, and the reasons for losing a lead."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from athena.accounts.models import User
from athena.db import NameKey
from sales import errors, normalization, policy
from sales.models import LeadSource, LostReason, SourceSpend
from sales.services import unique_names


@transaction.atomic
def save(*, by: User | None, row: LeadSource | SourceSpend | LostReason) -> None:
    """Write a new or changed (and validated) row. Raises `NotAllowed` below manager, `Invalid`."""
    policy.check_is_manager(by)
    if isinstance(row, SourceSpend):
        row.campaign = normalization.collapse_spaces(row.campaign)
        if find_spend(row.source_id, row.month, row.campaign).exclude(pk=row.pk).exists():
            raise errors.Invalid({"campaign": "This campaign has an amount for this month already."})
    elif isinstance(row, LeadSource):
        row.name = normalization.collapse_spaces(row.name)
        unique_names.require_unused_name(row, "name")
    row.save()


@transaction.atomic
def create(*, by: User | None, values: Mapping[str, Any]) -> LeadSource:
    """A new source. Raises `NotAllowed` below manager, `Invalid`."""
    policy.check_is_manager(by)
    source = LeadSource(**values)
    _save_valid(source)
    return source


@transaction.atomic
def update(*, by: User | None, source_id: int, changes: Mapping[str, Any]) -> LeadSource:
    """Change a source. Raises `NotFound`, `NotAllowed` below manager, `Invalid`."""
    policy.check_is_manager(by)
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

    What was said before is replaced, however the campaign was spelled then.
    Raises `NotFound`, `NotAllowed` below manager, `Invalid`.
    """
    policy.check_is_manager(by)
    source = LeadSource.objects.select_for_update().filter(pk=source_id).first()
    if source is None:
        raise errors.NotFound("There is no such source.")
    if month.day != 1:
        raise errors.Invalid({"month": "Give the first day of the month."})
    campaign = normalization.collapse_spaces(campaign)
    spend = find_spend(source.pk, month, campaign).first()
    is_new = spend is None
    if spend is None:
        spend = SourceSpend(source=source, campaign=campaign, month=month)
    spend.amount = amount
    spend.save()
    return spend, is_new


def find_spend(source_id: int, month: date, campaign: str) -> "QuerySet[SourceSpend]":
    """What the source cost in this month for this campaign, however that is spelled: one row at most."""
    rows = SourceSpend.objects.filter(source=source_id, month=month).alias(key=NameKey("campaign"))
    return rows.filter(key=normalization.name_key(campaign))


@transaction.atomic
def delete_spend(*, by: User | None, row: SourceSpend) -> None:
    """Take back an amount that was entered wrongly. Raises `NotAllowed` below manager."""
    policy.check_is_manager(by)
    row.delete()


def _save_valid(source: LeadSource) -> None:
    """Write a source that holds what a source must. Raises `Invalid`."""
    source.name = normalization.collapse_spaces(source.name)
    unique_names.require_unused_name(source, "name")
    try:
        source.full_clean()
    except ValidationError as error:
        wrong = {name: " ".join(why) for name, why in error.message_dict.items()}
        raise errors.Invalid(
            {"name" if name == NON_FIELD_ERRORS else name: why for name, why in wrong.items()}
        ) from None
    source.save()
