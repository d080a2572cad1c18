"""Whether a rule can be asked: its field, operator and value against each other and the registry."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sales import errors
from sales.models import LeadScoringRule
from sales.models.fields import MAX_AMOUNT
from sales.scoring.fields import FIELDS, Field, ValueType

COLUMNS = (
    *("rule_name", "rule_type", "condition_field", "condition_operator", "condition_value", "points"),
    *("is_active", "within_days", "half_life_days", "group"),
)
MAX_DAYS = 3650
MOST_ACTIVE = 200  # rules: each is a part of one statement, and a database takes a limited number of them
_MAX_INTEGER = 1_000_000_000
_WHOLE = re.compile(r"[+-]?[0-9]{1,10}(\.0*)?")
_MONEY = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]{0,2})?")
_BOOLEANS = {"true": True, "false": False}


def validate(rule_values: Mapping[str, Any]) -> None:
    """Raises `Invalid`, with what is wrong with each of the rule's values."""
    wrong = problems(rule_values)
    if wrong:
        raise errors.Invalid(wrong)


def problems(rule: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a rule's values, by name. A rule without problems can always be asked."""
    wrong = _bounds(rule)
    field = FIELDS.get((rule["rule_type"], rule["condition_field"]))
    if field is None:
        names = sorted(name for kind, name in FIELDS if kind == rule["rule_type"])
        if names:
            wrong["condition_field"] = f"A rule of this type may ask: {', '.join(names)}."
        else:
            wrong["rule_type"] = "There is no such type of rule."
        return wrong
    if rule["condition_operator"] not in field.operators:
        wrong["condition_operator"] = f"For {field.name} it is one of: {', '.join(field.operators)}."
    else:
        try:
            parse(field, rule["condition_operator"], rule["condition_value"])
        except ValueError as error:
            wrong["condition_value"] = str(error)
    for name in ("within_days", "half_life_days"):
        if rule[name] is not None and not field.timed:
            wrong[name] = f"{field.name} does not happen at a time."
    return wrong


def values_of(rule: LeadScoringRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in COLUMNS}


def parse(field: Field, operator: str, text: str) -> Any:
    """The value that a rule compares with, as Python has it; of `in` and `between` a tuple, written with commas.

    Both ends of `between` belong to it. Raises `ValueError` with a sentence for people.
    """
    if operator == "in":
        return tuple(_parse_one(field, operator, part) for part in text.split(","))
    if operator == "between":
        ends = tuple(_parse_one(field, operator, part) for part in text.split(","))
        if len(ends) != 2 or ends[0] > ends[1]:
            raise ValueError("Give the lower and the upper end, like 10,50.")
        return ends
    return _parse_one(field, operator, text)


def _parse_one(field: Field, operator: str, text: str) -> Any:
    text = text.strip()
    if operator == "is_set" or field.value_type == ValueType.BOOLEAN:
        if text.lower() not in _BOOLEANS:
            raise ValueError("It is true or false.")
        return _BOOLEANS[text.lower()]
    if field.value_type == ValueType.TEXT:
        if not text or "\x00" in text:
            raise ValueError("Give the text to compare with.")
        return text
    if field.value_type == ValueType.CHOICE:
        names = [name for name, _ in field.choices]
        if text.lower() not in names:
            raise ValueError(f"It is one of: {', '.join(names)}.")
        return text.lower()
    return _amount(text) if field.value_type == ValueType.AMOUNT else _integer(text)


def _integer(text: str) -> int:
    if not _WHOLE.fullmatch(text) or abs(Decimal(text)) > _MAX_INTEGER:
        raise ValueError("It is a whole number.")
    return int(Decimal(text))


def _amount(text: str) -> Decimal:
    if not _MONEY.fullmatch(text) or abs(Decimal(text)) > MAX_AMOUNT:
        raise ValueError("It is an amount with at most two decimals.")
    return Decimal(text)


def _bounds(rule: Mapping[str, Any]) -> dict[str, str]:
    wrong = {}
    if not rule["rule_name"].strip() or len(rule["rule_name"]) > 100:
        wrong["rule_name"] = "Give the rule a name of at most 100 characters."
    if not -100 <= rule["points"] <= 100:
        wrong["points"] = "Points are from −100 to 100."
    for name in ("within_days", "half_life_days"):
        if rule[name] is not None and not 1 <= rule[name] <= MAX_DAYS:
            wrong[name] = f"Days are from 1 to {MAX_DAYS}."
    for name, length in (("condition_value", 255), ("group", 50)):
        if len(rule[name]) > length:
            wrong[name] = f"At most {length} characters."
    return wrong
