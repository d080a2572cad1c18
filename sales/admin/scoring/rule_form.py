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


def _questions() -> list[tuple[str, Any]]:
    """What a rule may ask, under its type."""
    groups = [
        (
            label,
            [(field.name, f"{field.sentence} ({field.name})") for field in FIELDS.values() if field.rule_type == kind],
        )
        for kind, label in Type.choices
    ]
    return [("", "---------"), *groups]


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
            "is_timed": field.timed,
        }
        for field in FIELDS.values()
    ]
    return {"fields": fields, "many": MANY}


class RuleForm(ServiceForm):
    checks_limits = False
    condition_field = forms.ChoiceField(choices=_questions, label="What it looks at")

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
            for name, why in rule_checks.problems(cleaned).items():
                self.add_error(name, _in_words(name, cleaned) or why)
        return cleaned


def _in_words(name: str, asked: dict[str, Any]) -> str:
    """What is wrong between the parts of a condition; nothing where `checks` says it as people do."""
    rule_type, field_name = asked["rule_type"], asked["condition_field"]
    field = FIELDS.get((rule_type, field_name))
    if name == "condition_field":
        other = next(field for field in FIELDS.values() if field.name == field_name)
        return f"“{other.sentence}” goes with the type “{Type(other.rule_type).label}”."
    if name == "condition_operator" and field is not None:
        return f"With “{field.sentence}” goes: {_labels(field)}."
    if name in ("within_days", "half_life_days") and field is not None and not field.timed:
        return f"“{field.sentence}” does not happen at a time: leave this empty."
    return ""


def _labels(field: Field) -> str:
    return ", ".join(Operator(operator).label for operator in field.operators)
