"""Scoring rules. A change starts a scoring run, and can be previewed before it is saved.

The list switches rules on and off, and shows how many leads match each. Those counts are a request of their own,
because they read all open leads.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from athena.admin.requests import get_user
from athena.api.row_ids import parse_id
from sales import errors
from sales.admin.base import ServiceAdmin
from sales.admin.navigation import next_page
from sales.admin.scoring.rule_form import RuleForm, build_form_options
from sales.models import LeadScoringRule
from sales.queries.scoring import equal_rules, scoring_preview
from sales.queries.scoring.rule_matches import count_matching_leads
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS
from sales.services.scoring import scoring_rules


@admin.register(LeadScoringRule)
class RuleAdmin(ServiceAdmin):
    rank = 5
    form = RuleForm
    list_display = ("rule_name", "switch", "points", "matching_leads", "condition_text", "group")
    list_filter = ("is_active", "rule_type")
    search_fields = ("rule_name",)
    ordering = ("-points", "id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "rule_name",
                    "rule_type",
                    ("condition_field", "condition_operator", "condition_value"),
                    "points",
                    "is_active",
                )
            },
        ),
        ("Time and group", {"fields": (("within_days", "half_life_days"), "group")}),
    )
    change_form_template = "admin/sales/leadscoringrule/change_form.html"
    change_list_template = "admin/sales/leadscoringrule/change_list.html"

    @admin.display(description="Condition")
    def condition_text(self, rule: LeadScoringRule) -> str:
        field = FIELDS.get((rule.rule_type, rule.condition_field))
        name = field.description if field else rule.condition_field
        condition = f"{name}: {rule.get_condition_operator_display()} {rule.condition_value}"
        problems = rule_checks.find_problems(rule_checks.get_values(rule))
        if not problems:
            return condition
        return format_html('{}. <span class="overdue">Invalid</span>: {}', condition, " ".join(problems.values()))

    @admin.display(description="Leads now")
    def matching_leads(self, rule: LeadScoringRule) -> str:
        """A link to the counts; the page's script (rule_matches.js) replaces it with the rule's count."""
        link = '<a href="{}" data-matches="{}">Count</a>'
        return format_html(link, reverse("admin:sales_leadscoringrule_matches"), rule.pk)

    @admin.display(description="On", ordering="is_active")
    def switch(self, rule: LeadScoringRule) -> str:
        button = (
            '<button type="submit" class="switch {now}" formaction="{address}" name="is_active" value="{then}">{label}'
            '<span class="visually-hidden">: switch {rule} {then}</span></button>'
        )
        now, then = ("on", "off") if rule.is_active else ("off", "on")
        address = reverse("admin:sales_leadscoringrule_switch", args=[rule.pk])
        return format_html(button, now=now, then=then, label=now.title(), address=address, rule=rule)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("preview/", view(self.preview_view), name="sales_leadscoringrule_preview"),
            path("matches/", view(self.matches_view), name="sales_leadscoringrule_matches"),
            path("<int:rule_id>/switch/", view(self.switch_view), name="sales_leadscoringrule_switch"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What saving the form, which is posted here unsaved, would do to the scores. Writes nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        rule = self.get_queryset(request).filter(pk=parse_id(request.GET.get("rule", "")) or 0).first()
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        preview = None
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in rule_checks.COLUMNS}
            try:
                rules = scoring_preview.get_rules_with_change(values, rule.pk if rule else None)
                preview = scoring_preview.preview_rules(get_user(request), rules)
            except errors.Invalid as error:
                for name, problem in error.fields.items():
                    form.add_error(name, problem)
            except errors.TooManyRules as error:
                form.add_error(None, str(error))
        return self._render_page(request, "preview", "What would happen", form=form, preview=preview)

    def matches_view(self, request: HttpRequest) -> HttpResponse:
        """How many open leads, of those that the user may read, match each rule now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rules = list(self.get_queryset(request))
        counts = count_matching_leads(get_user(request), rules)
        rows = [(rule, self.condition_text(rule), counts.get(rule.pk)) for rule in rules]
        return self._render_page(request, "matches", "How many leads match now", rows=rows)

    def switch_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """Switch a rule on or off, as `is_active` says; doing so twice changes nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        new_state = request.POST.get("is_active", "")
        if new_state not in ("on", "off"):
            return HttpResponseBadRequest("Send is_active=on or is_active=off.")
        changes = {"is_active": new_state == "on"}
        is_unchanged = LeadScoringRule.objects.filter(pk=rule_id, **changes).exists()
        try:
            rule = scoring_rules.update_rule(by=get_user(request), rule_id=rule_id, changes=changes)
        except errors.SalesError as error:
            messages.error(request, f"The rule can't be switched {new_state}: {error}")
        else:
            run = format_html('<a href="{}">A scoring run</a>', reverse("admin:sales_scoringrun_changelist"))
            run_started = "" if is_unchanged else format_html(" {} over all open leads has started.", run)
            messages.success(request, format_html("“{}” is {}.{}", rule, new_state, run_started))
        return HttpResponseRedirect(next_page(request, reverse("admin:sales_leadscoringrule_changelist")))

    def _render_page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, f"admin/sales/leadscoringrule/{name}.html", shared | context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        return super().render_change_form(request, {**context, "form_options": build_form_options()}, *args, **kwargs)

    def save_by_service(self, request: HttpRequest, obj: LeadScoringRule, values: dict[str, Any]) -> LeadScoringRule:
        by = get_user(request)
        if obj.pk is not None:
            rule = scoring_rules.update_rule(by=by, rule_id=obj.pk, changes=values, versions={obj.version})
        else:
            rule = scoring_rules.create_rule(by=by, values=values)
        if equal_names := equal_rules.find_equal_rules().get(rule.pk):
            messages.warning(request, equal_rules.format_warning(equal_names))
        return rule

    def delete_model(self, request: HttpRequest, obj: LeadScoringRule) -> None:
        scoring_rules.delete_rule(by=get_user(request), rule_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any, Any]") -> None:
        for rule in queryset:
            self.delete_model(request, rule)
