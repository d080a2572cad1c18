"""Assignment rules: who gets a new lead. Rules can be tried out on recent leads before they are saved."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from athena.accounts.models import User
from athena.admin.requests import get_user
from athena.api.row_ids import parse_id
from sales import errors
from sales.admin.base import ServiceAdmin, ServiceForm
from sales.models import AssignmentRule, Lead, LeadScoringRule
from sales.queries.ownership import assignment_preview
from sales.scoring import conditions
from sales.services.ownership import assignment

CONDITION_NUMBERS = range(1, assignment.MAX_CONDITIONS + 1)
CONDITION_PARTS = ("field", "operator", "value")
_NO_CHOICE = ("", "–")


def _build_field_input(number: int) -> forms.ChoiceField:
    fields = [(field.name, f"{field.description} ({field.name})") for field in conditions.ATTRIBUTES.values()]
    return forms.ChoiceField(choices=[_NO_CHOICE, *fields], required=False, label="If" if number == 1 else "and")


def _build_operator_input(number: int) -> forms.ChoiceField:
    widget = forms.Select(attrs={"aria-label": f"Condition {number}: comparison"})
    choices = [_NO_CHOICE, *LeadScoringRule.Operator.choices]
    return forms.ChoiceField(choices=choices, required=False, label="", widget=widget)


def _build_value_input(number: int) -> forms.CharField:
    widget = forms.TextInput(attrs={"aria-label": f"Condition {number}: value"})
    return forms.CharField(max_length=255, required=False, label="", widget=widget)


class AssignmentRuleForm(ServiceForm):
    """The form of a rule; each of its conditions is a row of three inputs."""

    condition_1_field = _build_field_input(1)
    condition_1_operator = _build_operator_input(1)
    condition_1_value = _build_value_input(1)
    condition_2_field = _build_field_input(2)
    condition_2_operator = _build_operator_input(2)
    condition_2_value = _build_value_input(2)
    condition_3_field = _build_field_input(3)
    condition_3_operator = _build_operator_input(3)
    condition_3_value = _build_value_input(3)
    condition_4_field = _build_field_input(4)
    condition_4_operator = _build_operator_input(4)
    condition_4_value = _build_value_input(4)
    condition_5_field = _build_field_input(5)
    condition_5_operator = _build_operator_input(5)
    condition_5_value = _build_value_input(5)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rule = kwargs.get("instance")
        stored = rule.conditions if rule else ()
        condition_values = {
            f"condition_{number}_{part}": condition.get(part, "")
            for number, condition in zip(CONDITION_NUMBERS, stored, strict=False)
            for part in CONDITION_PARTS
        }
        kwargs["initial"] = {**condition_values, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        cleaned["conditions"] = []
        for number in CONDITION_NUMBERS:
            condition = {part: cleaned.get(f"condition_{number}_{part}", "") for part in CONDITION_PARTS}
            if not any(condition.values()):
                continue
            for problem in conditions.find_problems([condition]).values():
                self.add_error(f"condition_{number}_value", problem)
            cleaned["conditions"].append(condition)
        return cleaned

    def get_rule_values(self) -> dict[str, Any]:
        """The values as the service takes them."""
        return {name: self.cleaned_data[name] for name in assignment.WRITABLE_FIELDS}


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(ServiceAdmin):
    form = AssignmentRuleForm
    list_display = ("position", "rule_name", "condition_text", "receivers", "is_active")
    list_display_links = ("rule_name",)
    list_select_related = ("to_user", "to_team")
    ordering = ("position", "id")
    change_form_template = "admin/sales/assignmentrule/change_form.html"
    fieldsets = (
        (None, {"fields": ("rule_name", ("position", "is_active"))}),
        (
            "Conditions",
            {
                "description": "A new lead must match all conditions; a rule without conditions matches every lead. "
                "For “is between” enter two values, such as 25,50; for “is one of” several, such as school,church; "
                "for “is known” true or false.",
                "fields": [
                    tuple(f"condition_{number}_{part}" for part in CONDITION_PARTS) for number in CONDITION_NUMBERS
                ],
            },
        ),
        (
            "Receivers",
            {
                "description": "Choose a person, or a team whose salespeople get the leads in turn. People who are "
                "away or at their limit of open leads are passed over. If you choose neither, the lead waits in the "
                "pool without an owner, and the managers are notified.",
                "fields": (("to_user", "to_team"),),
            },
        ),
    )

    @admin.display(description="Conditions")
    def condition_text(self, rule: AssignmentRule) -> str:
        problems = conditions.find_problems(rule.conditions)
        return f"Invalid: {' '.join(problems.values())}" if problems else conditions.describe_conditions(rule)

    @admin.display(description="Receivers")
    def receivers(self, rule: AssignmentRule) -> str:
        return describe_receivers(rule)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "to_user":
            kwargs["queryset"] = User.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview_view)
        return [path("preview/", preview, name="sales_assignmentrule_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the rule in the form, which is posted here unsaved, would decide about the newest leads."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        rule = AssignmentRule.objects.filter(pk=parse_id(request.GET.get("rule", "")) or 0).first()
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        preview = None
        if form.is_valid():
            changed_rule = AssignmentRule(pk=rule.pk if rule else None, **form.get_rule_values())
            try:
                assignment.validate_rule(changed_rule)
                preview = assignment_preview.preview_rule(get_user(request), changed_rule)
            except errors.Invalid as error:
                for name, problem in error.fields.items():
                    form.add_error(name if name in form.fields else None, problem)
        context = {
            **self.admin_site.each_context(request),
            "title": "What would happen",
            "opts": self.model._meta,
            "form": form,
            "preview": preview,
            "samples": _describe_samples(preview.samples) if preview else [],
            "receivers": describe_receivers(preview.rule) if preview else "",
        }
        return TemplateResponse(request, "admin/sales/assignmentrule/preview.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, values = get_user(request), form.get_rule_values()
        if change:
            assignment.update_rule(by=by, rule_id=obj.pk, changes=values)
        else:
            obj.pk = assignment.create_rule(by=by, values=values).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        assignment.delete_rule(by=get_user(request), rule_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any, Any]") -> None:
        for rule in queryset:
            self.delete_model(request, rule)


def _describe_samples(
    decisions: Sequence[assignment_preview.LeadDecision],
) -> list[tuple[Lead, str, AssignmentRule | None]]:
    return [(decision.lead, describe_receivers(decision.rule), decision.rule) for decision in decisions]


def describe_receivers(rule: AssignmentRule | None) -> str:
    """Who gets the leads that a rule decides about (None: that no rule decides about), for people."""
    if rule is None or (rule.to_user is None and rule.to_team is None):
        return "The pool, without an owner"
    return f"{rule.to_team}, in turn" if rule.to_team is not None else str(rule.to_user)
