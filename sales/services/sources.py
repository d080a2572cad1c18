"""Writes of lead sources, their spend, and the reasons for losing a lead. All are for managers."""

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
    """Save a new or changed row whose fields are validated. Raises `NotAllowed` below manager, `Invalid`."""
    policy.check_is_manager(by)
    if isinstance(row, SourceSpend):
        row.campaign = normalization.collapse_spaces(row.campaign)
        if find_spend(row.source_id, row.month, row.campaign).exclude(pk=row.pk).exists():
            raise errors.Invalid({"campaign": "This campaign already has an amount for this month."})
    elif isinstance(row, LeadSource):
        row.name = normalization.collapse_spaces(row.name)
        unique_names.require_unused_name(row, "name")
    row.save()


@transaction.atomic
def create(*, by: User | None, values: Mapping[str, Any]) -> LeadSource:
    """Create a source. Raises `NotAllowed` below manager, `Invalid`."""
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
    """Set what a source, or one campaign of it, cost in a month.

    `month` is the first day of the month. An earlier amount is replaced, even if it spells the campaign differently.
    Returns the row and whether it is new. Raises `NotFound`, `NotAllowed` below manager, `Invalid`.
    """
    policy.check_is_manager(by)
    source = LeadSource.objects.select_for_update().filter(pk=source_id).first()
    if source is None:
        raise errors.NotFound("There is no such source.")
    if month.day != 1:
        raise errors.Invalid({"month": "Enter the first day of the month."})
    campaign = normalization.collapse_spaces(campaign)
    spend = find_spend(source.pk, month, campaign).first()
    is_new = spend is None
    if spend is None:
        spend = SourceSpend(source=source, campaign=campaign, month=month)
    spend.amount = amount
    spend.save()
    return spend, is_new


def find_spend(source_id: int, month: date, campaign: str) -> "QuerySet[SourceSpend]":
    """The spend of a source for a month and campaign, ignoring case and spaces of the campaign: at most one row."""
    rows = SourceSpend.objects.filter(source=source_id, month=month).alias(key=NameKey("campaign"))
    return rows.filter(key=normalization.name_key(campaign))


@transaction.atomic
def delete_spend(*, by: User | None, row: SourceSpend) -> None:
    """Delete an amount that was entered by mistake. Raises `NotAllowed` below manager."""
    policy.check_is_manager(by)
    row.delete()


def _save_valid(source: LeadSource) -> None:
    """Validate and save a source. Raises `Invalid`."""
    source.name = normalization.collapse_spaces(source.name)
    unique_names.require_unused_name(source, "name")
    try:
        source.full_clean()
    except ValidationError as error:
        messages = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise errors.Invalid(
            {"name" if name == NON_FIELD_ERRORS else name: message for name, message in messages.items()}
        ) from None
    source.save()
