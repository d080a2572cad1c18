"""Scoring rules, written through the scoring service: a change starts a run, and can be rehearsed before."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from sales import errors
from sales.admin.base import ServiceAdmin, ServiceForm, person
from sales.models import LeadScoringRule
from sales.queries import rehearsal
from sales.queries.effectiveness import effectiveness
from sales.scoring import checks
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
    rank = 5
    form = RuleForm
    list_display = ("rule_name", "asks", "points", "is_active", "group", "state")
    list_filter = ("is_active", "rule_type")
    search_fields = ("rule_name",)
    ordering = ("-points", "id")
    condition = ("condition_field", "condition_operator", "condition_value")
    fieldsets = (
        (None, {"fields": ("rule_name", "rule_type", condition, "points", "is_active")}),
        ("Time and groups", {"fields": (("within_days", "half_life_days"), "group")}),
    )
    change_form_template = "admin/sales/leadscoringrule/change_form.html"
    change_list_template = "admin/sales/leadscoringrule/change_list.html"

    @admin.display(description="What it asks")
    def asks(self, rule: LeadScoringRule) -> str:
        field = FIELDS.get((rule.rule_type, rule.condition_field))
        name = field.sentence if field else rule.condition_field
        return f"{name}: {rule.get_condition_operator_display()} {rule.condition_value}"

    @admin.display(description="State")
    def state(self, rule: LeadScoringRule) -> str:
        wrong = checks.problems(checks.values_of(rule))
        if wrong:
            return format_html('<span class="overdue">Broken</span>: {}', " ".join(wrong.values()))
        return "In use" if rule.is_active else "Off"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("preview/", view(self.preview_view), name="sales_leadscoringrule_preview"),
            path("effectiveness/", view(self.effectiveness_view), name="sales_leadscoringrule_effectiveness"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What saving the form, which is posted here as it stands, would do. Writes nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("sales.change_leadscoringrule"):
            raise PermissionDenied
        key = request.GET.get("rule", "")
        rule = self.get_queryset(request).filter(pk=key).first() if key.isascii() and key.isdigit() else None
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        found = None
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in checks.COLUMNS}
            try:
                found = rehearsal.rehearse(person(request), rehearsal.with_change(values, rule and rule.pk))
            except errors.Invalid as error:
                for name, why in error.fields.items():
                    form.add_error(name, why)
        return self._page(request, "preview", "What would happen", form=form, found=found)

    def effectiveness_view(self, request: HttpRequest) -> HttpResponse:
        """Whether leads that match a rule are won more often than others."""
        if not request.user.has_perm("sales.view_leadscoringrule"):
            raise PermissionDenied
        return self._page(request, "effectiveness", "What the rules are worth", rules=effectiveness())

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, f"admin/sales/leadscoringrule/{name}.html", shared | context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("sales.delete_leadscoringrule")

    def save_by_service(self, request: HttpRequest, obj: LeadScoringRule, values: dict[str, Any]) -> LeadScoringRule:
        if obj.pk is not None:
            by = person(request)
            return scoring_rules.update_rule(by=by, rule_id=obj.pk, changes=values, versions={obj.version})
        return scoring_rules.create_rule(by=person(request), values=values)

    def delete_model(self, request: HttpRequest, obj: LeadScoringRule) -> None:
        scoring_rules.delete_rule(by=person(request), rule_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any, Any]") -> None:
        for rule in queryset:
            self.delete_model(request, rule)
