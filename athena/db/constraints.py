"""Reads the constraints of tables for forms: the limits of numbers, and the field and message of a violation."""

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import DataError, IntegrityError
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import CheckConstraint, Field, Model, Q, UniqueConstraint
from django.db.models.constraints import BaseConstraint

_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")  # SQLite names the columns: table.column, table.column
_NOT_NULL = re.compile(r"NOT NULL constraint failed: \S+?\.(\S+)")
_CHECK = re.compile(r"CHECK constraint failed: (\w+)")
_KEY = re.compile(r"Key \((.+?)\)=")  # PostgreSQL names the columns in the detail of the error

TAKEN = "This already exists."
IMPOSSIBLE = "This value is not allowed here."
GONE = "This refers to something that no longer exists."
REQUIRED = "This field is required."
TOO_LONG = "A value is too long or too large."


def find_number_limits(field: "Field[Any, Any]") -> tuple[Any, Any]:
    """The minimum and the maximum of a number column on both engines; None without a limit.

    They come from CHECK constraints on this column alone and from the integer types of PostgreSQL.
    """
    low, high = BaseDatabaseOperations.integer_field_ranges.get(field.get_internal_type(), (None, None))
    for constraint in field.model._meta.constraints:
        if isinstance(constraint, CheckConstraint) and get_fields(constraint, field.model) == [field.name]:
            for lookup, value in _list_lookups(constraint.condition):
                if lookup == "range":
                    low, high = value
                elif lookup == "gte":
                    low = value
    return low, high


def get_fields(constraint: BaseConstraint, model: type[Model]) -> list[str]:
    """The names of the fields of a constraint, in the order of the model."""
    names: set[str] = set()
    if isinstance(constraint, CheckConstraint) and isinstance(constraint.condition, Q):
        names = set(constraint.condition.referenced_base_fields)
    elif isinstance(constraint, UniqueConstraint):
        names = set(constraint.fields)
    return [field.name for field in model._meta.fields if field.name in names]


def get_message(constraint: BaseConstraint) -> str:
    """The message for users about a violation of this constraint."""
    if constraint.violation_error_message != BaseConstraint.default_violation_error_message:
        return str(constraint.violation_error_message)
    return TAKEN if isinstance(constraint, UniqueConstraint) else IMPOSSIBLE


def explain_violation(error: IntegrityError | DataError) -> tuple[list[str], str]:
    """The field names (if known) and the message for users of an error of the database.

    Raises the error again if it is of an unknown kind, which is a bug of ours.
    """
    cause, text = error.__cause__, str(error)
    if isinstance(error, DataError):
        return [], TOO_LONG
    diagnosis = getattr(cause, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or _first(_CHECK, text)
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                return get_fields(constraint, model), get_message(constraint)
    if "FOREIGN KEY" in text or "foreign key" in text:
        return [], GONE
    if missing := getattr(diagnosis, "column_name", None) or _first(_NOT_NULL, text):
        return [missing], REQUIRED
    columns = _first(_KEY, getattr(diagnosis, "message_detail", None) or "") or _first(_UNIQUE, text)
    if columns:
        return [column.rpartition(".")[2] for column in columns.split(", ")], TAKEN
    raise error


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _list_lookups(condition: Any) -> Iterator[tuple[str, Any]]:
    """Each lookup in a condition, with its value."""
    for child in getattr(condition, "children", ()):
        if isinstance(child, tuple):
            yield child[0].rpartition("__")[2], child[1]
        else:
            yield from _list_lookups(child)
