"""Scoring rules, written through the scoring service: a change starts a run, and can be rehearsed before.

The list switches them on and off, and says how many leads match: asked by themselves, for that reads all leads.
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
from sales.admin.scoring.rule_form import RuleForm, offered
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
    list_display = ("rule_name", "switch", "points", "matching", "asks", "group")
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
        name = field.description if field else rule.condition_field
        said = f"{name}: {rule.get_condition_operator_display()} {rule.condition_value}"
        wrong = rule_checks.find_problems(rule_checks.get_values(rule))
        broken = format_html('. <span class="overdue">Broken</span>: {}', " ".join(wrong.values())) if wrong else ""
        return format_html("{}{}", said, broken)

    @admin.display(description="Leads now")
    def matching(self, rule: LeadScoringRule) -> str:
        """A link to the counts, whose place the script fills."""
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
        """What saving the form, which is posted here as it stands, would do. Writes nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("sales.change_leadscoringrule"):
            raise PermissionDenied
        rule = self.get_queryset(request).filter(pk=parse_id(request.GET.get("rule", "")) or 0).first()
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        found = None
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in rule_checks.COLUMNS}
            try:
                found = scoring_preview.preview_rules(
                    get_user(request), scoring_preview.get_rules_with_change(values, rule and rule.pk)
                )
            except errors.Invalid as error:
                for name, why in error.fields.items():
                    form.add_error(name, why)
            except errors.TooManyRules as error:
                form.add_error(None, str(error))
        return self._page(request, "preview", "What would happen", form=form, found=found)

    def matches_view(self, request: HttpRequest) -> HttpResponse:
        """How many of the open leads that one may read match each rule as they are now."""
        if not request.user.has_perm("sales.view_leadscoringrule"):
            raise PermissionDenied
        rules = list(self.get_queryset(request))
        counts = count_matching_leads(get_user(request), rules)
        rows = [(rule, self.asks(rule), counts.get(rule.pk)) for rule in rules]
        return self._page(request, "matches", "How many leads match now", rows=rows)

    def switch_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """Switch a rule on or off, as `is_active` says: twice is the same as once."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("sales.change_leadscoringrule"):
            raise PermissionDenied
        wanted = request.POST.get("is_active", "")
        if wanted not in ("on", "off"):
            return HttpResponseBadRequest("on or off")
        changes = {"is_active": wanted == "on"}
        was_so = LeadScoringRule.objects.filter(pk=rule_id, **changes).exists()
        try:
            rule = scoring_rules.update_rule(by=get_user(request), rule_id=rule_id, changes=changes)
        except errors.SalesError as error:
            messages.error(request, f"It can't be switched {wanted}: {error}")
        else:
            run = format_html('<a href="{}">A scoring run</a>', reverse("admin:sales_scoringrun_changelist"))
            started = "" if was_so else format_html(" {} over all open leads has started.", run)
            messages.success(request, format_html("“{}” is {}.{}", rule, wanted, started))
        return HttpResponseRedirect(next_page(request, reverse("admin:sales_leadscoringrule_changelist")))

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, f"admin/sales/leadscoringrule/{name}.html", shared | context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("sales.delete_leadscoringrule")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        return super().render_change_form(request, {**context, "offered": offered()}, *args, **kwargs)

    def save_by_service(self, request: HttpRequest, obj: LeadScoringRule, values: dict[str, Any]) -> LeadScoringRule:
        by = get_user(request)
        if obj.pk is not None:
            rule = scoring_rules.update_rule(by=by, rule_id=obj.pk, changes=values, versions={obj.version})
        else:
            rule = scoring_rules.create_rule(by=by, values=values)
        if names := equal_rules.find_equal_rules().get(rule.pk):
            messages.warning(request, equal_rules.format_warning(names))
        return rule

    def delete_model(self, request: HttpRequest, obj: LeadScoringRule) -> None:
        scoring_rules.delete_rule(by=get_user(request), rule_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any, Any]") -> None:
        for rule in queryset:
            self.delete_model(request, rule)
