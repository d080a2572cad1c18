"""Kinds of columns that many tables have, with their limits, and constraints on them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from athena.limits import MAX_TEXT_LENGTH


def money_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column for an amount of money in the company's currency."""
    return models.DecimalField(max_digits=12, decimal_places=2, **options)


def line_field(length: int = 200, **options: Any) -> "models.CharField[Any, Any]":
    """A column for a line of text. It is never NULL; no text is the empty string."""
    return models.CharField(max_length=length, blank=True, default="", db_default="", **options)


def text_field(**options: Any) -> "models.TextField[Any, Any]":
    """A column for text of several lines. It is never NULL; no text is the empty string."""
    return models.TextField(max_length=MAX_TEXT_LENGTH, blank=True, default="", db_default="", **options)


def user_field(column: str, *, related_name: str = "+", **options: Any) -> "models.ForeignKey[Any, Any]":
    """A foreign key to a user, stored in `column`. Users are never deleted."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_column=column, related_name=related_name, db_index=False, **options
    )


def unique_name_constraint(name: str, field: str) -> models.UniqueConstraint:
    """A constraint that no two rows have the same text in `field`, ignoring case.

    LOWER on SQLite only knows ASCII letters, so services compare by `normalization.name_key` as well.
    """
    return models.UniqueConstraint(Lower(field), name=name, violation_error_message="This name is already taken.")


def range_constraint(name: str, field: str, low: object, high: object) -> models.CheckConstraint:
    """A constraint that `field` is NULL or from `low` to `high`. On SQLite it also refuses text in number columns."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__range": (low, high)}) | Q(**{f"{field}__isnull": True}), name=name
    )
