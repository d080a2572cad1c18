"""Assignment rules: who gets a new lead, asked in order, and tried out on recent leads before they are saved."""

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
from sales.models import AssignmentRule, LeadScoringRule
from sales.queries.ownership import assignment_preview as trials
from sales.scoring import conditions
from sales.services.ownership import assignment

ROWS = range(1, assignment.MAX_CONDITIONS + 1)
PARTS = ("field", "operator", "value")


def _row(number: int) -> dict[str, forms.Field]:
    """The fields of one condition."""
    nothing = [("", "–")]
    asked = [(field.name, f"{field.description} ({field.name})") for field in conditions.ATTRIBUTES.values()]
    said = list(LeadScoringRule.Operator.choices)
    label = "If" if number == 1 else "and"
    how, what = ({"aria-label": f"Condition {number}: {part}"} for part in ("how it is compared", "with what"))
    return {
        f"condition_{number}_field": forms.ChoiceField(choices=nothing + asked, required=False, label=label),
        f"condition_{number}_operator": forms.ChoiceField(
            choices=nothing + said, required=False, label="", widget=forms.Select(attrs=how)
        ),
        f"condition_{number}_value": forms.CharField(
            max_length=255, required=False, label="", widget=forms.TextInput(attrs=what)
        ),
    }


class _RuleForm(ServiceForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rule = kwargs.get("instance")
        filled = {
            f"condition_{number}_{part}": condition.get(part, "")
            for number, condition in zip(ROWS, rule.conditions if rule else (), strict=False)
            for part in PARTS
        }
        kwargs["initial"] = {**filled, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        found = []
        for number in ROWS:
            condition = {part: cleaned.get(f"condition_{number}_{part}", "") for part in PARTS}
            if not any(condition.values()):
                continue
            for why in conditions.find_problems([condition]).values():
                self.add_error(f"condition_{number}_value", why)
            found.append(condition)
        cleaned["conditions"] = found
        return cleaned

    def values(self) -> dict[str, Any]:
        """What the service is given."""
        return {name: self.cleaned_data[name] for name in assignment.WRITABLE_FIELDS}


RuleForm: type[ServiceForm] = type(
    "RuleForm", (_RuleForm,), {name: field for number in ROWS for name, field in _row(number).items()}
)


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(ServiceAdmin):
    form = RuleForm
    list_display = ("position", "rule_name", "asks", "goes_to", "is_active")
    list_display_links = ("rule_name",)
    list_select_related = ("to_user", "to_team")
    ordering = ("position", "id")
    change_form_template = "admin/sales/assignmentrule/change_form.html"
    fieldsets = (
        (None, {"fields": ("rule_name", ("position", "is_active"))}),
        ("What it asks of a new lead", {
            "description": "All of it must hold; nothing asks nothing, so every lead fulfils it. "
                           "Between: 25,50. One of: school,church. Is known: true or false.",
            "fields": [tuple(f"condition_{number}_{part}" for part in PARTS) for number in ROWS],
        }),
        ("Who gets it", {
            "description": "A person, or the salespeople of a team in turn; who is away, or has as many open leads as "
                           "they may have, is passed over. Neither: it waits in the pool, and the managers are told.",
            "fields": (("to_user", "to_team"),),
        }),
    )  # fmt: skip

    @admin.display(description="What it asks")
    def asks(self, rule: AssignmentRule) -> str:
        wrong = conditions.find_problems(rule.conditions)
        return f"Broken: {' '.join(wrong.values())}" if wrong else conditions.describe_conditions(rule)

    @admin.display(description="Who gets it")
    def goes_to(self, rule: AssignmentRule) -> str:
        return target(rule)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "to_user":
            kwargs["queryset"] = User.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview_view)
        return [path("preview/", preview, name="sales_assignmentrule_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the form, which is posted here as it stands, would say of the newest leads. Writes nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("sales.change_assignmentrule"):
            raise PermissionDenied
        rule = AssignmentRule.objects.filter(pk=parse_id(request.GET.get("rule", "")) or 0).first()
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        found = None
        if form.is_valid():
            tried = AssignmentRule(pk=rule.pk if rule else None, **form.values())
            try:
                assignment.validate_rule(tried)
                found = trials.preview_rule(get_user(request), tried)
            except errors.Invalid as error:
                for name, why in error.fields.items():
                    form.add_error(name if name in form.fields else None, why)
        context = {
            **self.admin_site.each_context(request),
            "title": "What would happen",
            "opts": self.model._meta,
            "form": form,
            "found": found,
            "samples": [(each.lead, target(each.rule), each.rule) for each in found.samples] if found else [],
            "goes_to": target(found.rule) if found else "",
        }
        return TemplateResponse(request, "admin/sales/assignmentrule/preview.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("sales.delete_assignmentrule")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, values = get_user(request), form.values()
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


def target(rule: AssignmentRule | None) -> str:
    """Who gets what a rule decides, for people."""
    if rule is None or (rule.to_user is None and rule.to_team is None):
        return "The pool: nobody owns it yet"
    return f"{rule.to_team}, in turn" if rule.to_team is not None else str(rule.to_user)
