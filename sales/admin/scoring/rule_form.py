"""The form of a scoring rule.

The page's script offers only what fits together; without JavaScript, the server says what does not."""

from typing import Any, ClassVar

from django import forms

from sales.admin.base import ServiceForm
from sales.models import LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, ValueType

Type, Operator = LeadScoringRule.Type, LeadScoringRule.Operator
VALUE_HINTS = {
    ValueType.INTEGER: "A whole number.",
    ValueType.AMOUNT: "An amount of money, such as 2500 or 99.50.",
    ValueType.DAYS: "A number of whole days.",
    ValueType.TEXT: "Upper and lower case are the same.",
    ValueType.CHOICE: "",
    ValueType.BOOLEAN: "",
}
MULTIPLE_VALUE_HINTS = {
    Operator.BETWEEN: "The lower and the upper limit, both included, such as 25,50.",
    Operator.IN: "One or more values, separated by commas.",
}


def _get_field_choices() -> list[tuple[str, Any]]:
    """The fields that a rule can compare, grouped by rule type."""
    empty: tuple[str, Any] = ("", "---------")
    return [empty, *((label, _get_fields_of_type(rule_type)) for rule_type, label in Type.choices)]


def _get_fields_of_type(rule_type: str) -> list[tuple[str, str]]:
    fields = [field for field in FIELDS.values() if field.rule_type == rule_type]
    return [(field.name, f"{field.description} ({field.name})") for field in fields]


def build_form_options() -> dict[str, Any]:
    """The options for the page's script (rule_form.js): each field with its operators, values and hint."""
    fields = [
        {
            "type": field.rule_type,
            "name": field.name,
            "operators": field.operators,
            "values": [("true", "Yes"), ("false", "No")] if field.value_type == ValueType.BOOLEAN else field.choices,
            "hint": VALUE_HINTS[field.value_type],
            "is_number": field.value_type in (ValueType.INTEGER, ValueType.AMOUNT),
            "is_timed": field.is_timed,
        }
        for field in FIELDS.values()
    ]
    return {"fields": fields, "many": MULTIPLE_VALUE_HINTS}


class RuleForm(ServiceForm):
    checks_limits = False  # `find_problems` does, in the same words as for the API
    condition_field = forms.ChoiceField(choices=_get_field_choices, label="Field")

    class Meta:
        labels: ClassVar = {
            "rule_type": "Type",
            "condition_operator": "Comparison",
            "condition_value": "Value",
            "is_active": "On",
        }

    def clean(self) -> dict[str, Any] | None:
        """Check what does not fit together before the service does, with messages in the words of the page."""
        cleaned = super().clean() or {}
        if not self.errors:
            for name, problem in rule_checks.find_problems(cleaned).items():
                self.add_error(name, _describe_mismatch(name, cleaned) or problem)
        return cleaned


def _describe_mismatch(name: str, rule_values: dict[str, Any]) -> str:
    """How a field does not fit the rest of the rule; "" for problems that `find_problems` words as the page does."""
    rule_type, field_name = rule_values["rule_type"], rule_values["condition_field"]
    field = FIELDS.get((rule_type, field_name))
    if name == "condition_field":
        other = next(field for field in FIELDS.values() if field.name == field_name)
        return f"“{other.description}” belongs to the type “{Type(other.rule_type).label}”."
    if name == "condition_operator" and field is not None:
        labels = ", ".join(Operator(operator).label for operator in field.operators)
        return f"“{field.description}” takes these comparisons: {labels}."
    if name in ("within_days", "half_life_days") and field is not None and not field.is_timed:
        return f"“{field.description}” does not come from events, so leave this empty."
    return ""
