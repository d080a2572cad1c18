"""The form of a scoring rule: what goes with what, for the page's script and, without it, in the server's answer."""

from typing import Any, ClassVar

from django import forms

from sales.admin.base import ServiceForm
from sales.models import LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, Field, ValueType

Type, Operator = LeadScoringRule.Type, LeadScoringRule.Operator
KINDS = {
    ValueType.INTEGER: "A whole number.",
    ValueType.AMOUNT: "An amount in the company's currency, like 2500 or 99.50.",
    ValueType.DAYS: "A number of whole days.",
    ValueType.TEXT: "Upper and lower case are the same.",
    ValueType.CHOICE: "",
    ValueType.BOOLEAN: "",
}
MANY = {
    Operator.BETWEEN: "The lower and the upper end, like 25,50; both belong to it.",
    Operator.IN: "Several, with commas between them.",
}


def _get_field_choices() -> list[tuple[str, Any]]:
    """The fields that a rule can compare, grouped by rule type."""
    empty: tuple[str, Any] = ("", "---------")
    return [empty, *((label, _get_fields_of_type(rule_type)) for rule_type, label in Type.choices)]


def _get_fields_of_type(rule_type: str) -> list[tuple[str, str]]:
    fields = [field for field in FIELDS.values() if field.rule_type == rule_type]
    return [(field.name, f"{field.description} ({field.name})") for field in fields]


def offered() -> dict[str, Any]:
    """For the page's script: each field with its type, its operators and what a value of it is; hints for people."""
    fields = [
        {
            "type": field.rule_type,
            "name": field.name,
            "operators": field.operators,
            "values": [("true", "Yes"), ("false", "No")] if field.value_type == ValueType.BOOLEAN else field.choices,
            "hint": KINDS[field.value_type],
            "is_number": field.value_type in (ValueType.INTEGER, ValueType.AMOUNT),
            "is_timed": field.is_timed,
        }
        for field in FIELDS.values()
    ]
    return {"fields": fields, "many": MANY}


class RuleForm(ServiceForm):
    checks_limits = False
    condition_field = forms.ChoiceField(choices=_get_field_choices, label="What it looks at")

    class Meta:
        labels: ClassVar = {
            "rule_type": "What it is about",
            "condition_operator": "How it compares",
            "condition_value": "With what",
            "is_active": "On",
        }

    def clean(self) -> dict[str, Any] | None:
        """What does not fit is said before the service is asked, in the words of the page."""
        cleaned = super().clean() or {}
        if not self.errors:
            for name, why in rule_checks.find_problems(cleaned).items():
                self.add_error(name, _in_words(name, cleaned) or why)
        return cleaned


def _in_words(name: str, asked: dict[str, Any]) -> str:
    """What is wrong between the parts of a condition; nothing where `checks` says it as people do."""
    rule_type, field_name = asked["rule_type"], asked["condition_field"]
    field = FIELDS.get((rule_type, field_name))
    if name == "condition_field":
        other = next(field for field in FIELDS.values() if field.name == field_name)
        return f"“{other.description}” goes with the type “{Type(other.rule_type).label}”."
    if name == "condition_operator" and field is not None:
        return f"With “{field.description}” goes: {_labels(field)}."
    if name in ("within_days", "half_life_days") and field is not None and not field.is_timed:
        return f"“{field.description}” does not happen at a time: leave this empty."
    return ""


def _labels(field: Field) -> str:
    return ", ".join(Operator(operator).label for operator in field.operators)
