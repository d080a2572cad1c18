"""Scoring rules, written through the scoring service: a change starts a run."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from sales.admin.base import ServiceAdmin, ServiceForm, person
from sales.models import LeadScoringRule
from sales.scoring.fields import FIELDS
from sales.services import scoring_rules


def _questions() -> list[tuple[str, list[tuple[str, str]]]]:
    """What a rule may ask, under its type."""
    return [
        (
            label,
            [(field.name, f"{field.sentence} ({field.name})") for field in FIELDS.values() if field.rule_type == kind],
        )
        for kind, label in LeadScoringRule.Type.choices
    ]


class RuleForm(ServiceForm):
    condition_field = forms.ChoiceField(choices=_questions, label="What it looks at")


@admin.register(LeadScoringRule)
class RuleAdmin(ServiceAdmin):
    form = RuleForm
    list_display = ("rule_name", "condition_field", "condition_operator", "condition_value", "points", "is_active")
    list_filter = ("is_active", "rule_type")
    search_fields = ("rule_name",)
    ordering = ("-points", "id")
    condition = ("condition_field", "condition_operator", "condition_value")
    fieldsets = (
        (None, {"fields": ("rule_name", "rule_type", condition, "points", "is_active")}),
        ("Time and groups", {"fields": (("within_days", "half_life_days"), "group")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("sales.delete_leadscoringrule")

    def save_by_service(self, request: HttpRequest, obj: LeadScoringRule, values: dict[str, Any]) -> LeadScoringRule:
        if obj.pk is not None:
            return scoring_rules.update_rule(by=person(request), rule_id=obj.pk, changes=values)
        return scoring_rules.create_rule(by=person(request), values=values)

    def delete_model(self, request: HttpRequest, obj: LeadScoringRule) -> None:
        scoring_rules.delete_rule(by=person(request), rule_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any, Any]") -> None:
        for rule in queryset:
            self.delete_model(request, rule)
