"""The columns that many tables have, each with its bounds."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

MAX_COUNT = 100_000
MAX_AMOUNT = Decimal("9999999999.99")
MAX_TEXT_LENGTH = 10_000


def money_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """An amount of money in the company's currency."""
    return models.DecimalField(max_digits=12, decimal_places=2, **options)


def line_field(length: int = 200, **options: Any) -> "models.CharField[Any, Any]":
    """Text in one line; nothing is the empty string."""
    return models.CharField(max_length=length, blank=True, default="", db_default="", **options)


def text_field(**options: Any) -> "models.TextField[Any, Any]":
    return models.TextField(max_length=MAX_TEXT_LENGTH, blank=True, default="", db_default="", **options)


def user_field(column: str, *, related_name: str = "+", **options: Any) -> "models.ForeignKey[Any, Any]":
    """A user, in the column that the specification names. Users are never deleted."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_column=column, related_name=related_name, db_index=False, **options
    )


def unique_name_constraint(name: str, field: str) -> models.UniqueConstraint:
    """No two rows have the same text in `field`, in whatever case.

    SQLite's own LOWER, which other programs have too, knows the case of ASCII letters only: services compare by
    `normalization.name_key`.
    """
    return models.UniqueConstraint(Lower(field), name=name, violation_error_message="This name is taken already.")


def range_constraint(name: str, field: str, low: object, high: object) -> models.CheckConstraint:
    """`field` is between `low` and `high` or NULL (on SQLite this refuses text in a number's column too)."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__range": (low, high)}) | Q(**{f"{field}__isnull": True}), name=name
    )
