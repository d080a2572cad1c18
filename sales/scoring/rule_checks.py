"""Checks a scoring rule: whether its field, operator and value fit together and are in the registry."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from athena.limits import MAX_AMOUNT
from sales import errors
from sales.models import LeadScoringRule
from sales.scoring.fields import FIELDS, Field, ValueType
from sales.scoring.value_sources import RuleValue, Scalar

COLUMNS = (
    "rule_name",
    "rule_type",
    "condition_field",
    "condition_operator",
    "condition_value",
    "points",
    "is_active",
    "within_days",
    "half_life_days",
    "group",
)
MAX_DAYS = 3650
MAX_ACTIVE_RULES = 200  # all are part of one SQL statement, which can't be of any length
_MAX_INTEGER = 1_000_000_000
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,10}(\.0*)?")
_AMOUNT = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]{0,2})?")
_BOOLEANS = {"true": True, "false": False}


def validate(rule_values: Mapping[str, Any]) -> None:
    """Raise `Invalid` if the values of a rule (by column) don't make a valid one, with what is wrong with each."""
    problems = find_problems(rule_values)
    if problems:
        raise errors.Invalid(problems)


def find_problems(rule_values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the values of a rule, by column. A rule without problems can be compiled."""
    problems = _check_limits(rule_values)
    field = FIELDS.get((rule_values["rule_type"], rule_values["condition_field"]))
    if field is None:
        names = sorted(name for rule_type, name in FIELDS if rule_type == rule_values["rule_type"])
        if names:
            problems["condition_field"] = f"A rule of this type can use: {', '.join(names)}."
        else:
            problems["rule_type"] = "There is no such type of rule."
        return problems
    if rule_values["condition_operator"] not in field.operators:
        problems["condition_operator"] = f"The field {field.name} takes: {', '.join(field.operators)}."
    else:
        try:
            parse_value(field, rule_values["condition_operator"], rule_values["condition_value"])
        except ValueError as error:
            problems["condition_value"] = str(error)
    for name in ("within_days", "half_life_days"):
        if rule_values[name] is not None and not field.is_timed:
            problems[name] = f"The field {field.name} does not come from events, so leave this empty."
    return problems


def get_values(rule: LeadScoringRule) -> dict[str, Any]:
    """The rule's values by column, as `find_problems` takes them."""
    return {name: getattr(rule, name) for name in COLUMNS}


def parse_value(field: Field, operator: str, text: str) -> RuleValue:
    """Parse the value that a condition compares with; `in` and `between` take several, separated by commas.

    `between` includes both ends. Raises `ValueError` with a sentence for people.
    """
    if operator == "in":
        return tuple(_parse_one(field, operator, part) for part in text.split(","))
    if operator == "between":
        ends = tuple(_parse_number(field, part.strip()) for part in text.split(","))
        if len(ends) != 2 or ends[0] > ends[1]:
            raise ValueError("Enter the lower and the upper limit, such as 10,50.")
        return ends
    return _parse_one(field, operator, text)


def _parse_one(field: Field, operator: str, text: str) -> Scalar:
    text = text.strip()
    if operator == "is_set" or field.value_type == ValueType.BOOLEAN:
        if text.lower() not in _BOOLEANS:
            raise ValueError("Enter true or false.")
        return _BOOLEANS[text.lower()]
    if field.value_type == ValueType.TEXT:
        if not text or "\x00" in text:
            raise ValueError("Enter the text to compare with.")
        return text
    if field.value_type == ValueType.CHOICE:
        names = [name for name, _ in field.choices]
        if text.lower() not in names:
            raise ValueError(f"Enter one of: {', '.join(names)}.")
        return text.lower()
    return _parse_number(field, text)


def _parse_number(field: Field, text: str) -> int | Decimal:
    if field.value_type == ValueType.AMOUNT:
        if not _AMOUNT.fullmatch(text) or abs(Decimal(text)) > MAX_AMOUNT:
            raise ValueError("Enter an amount with at most two decimals.")
        return Decimal(text)
    if not _WHOLE_NUMBER.fullmatch(text) or abs(Decimal(text)) > _MAX_INTEGER:
        raise ValueError("Enter a whole number.")
    return int(Decimal(text))


def _check_limits(rule_values: Mapping[str, Any]) -> dict[str, str]:
    problems = {}
    if not rule_values["rule_name"].strip() or len(rule_values["rule_name"]) > 100:
        problems["rule_name"] = "Enter a name of at most 100 characters."
    if not -100 <= rule_values["points"] <= 100:
        problems["points"] = "Enter a number of points from −100 to 100."
    for name in ("within_days", "half_life_days"):
        if rule_values[name] is not None and not 1 <= rule_values[name] <= MAX_DAYS:
            problems[name] = f"Enter a number of days from 1 to {MAX_DAYS}."
    for name, max_length in (("condition_value", 255), ("group", 50)):
        if len(rule_values[name]) > max_length:
            problems[name] = f"Enter at most {max_length} characters."
    return problems
