"""The admin of cadences. A cadence and its steps are saved together by the service."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst

from athena.admin.requests import get_user
from athena.forms import StrictRowForm
from sales.admin.base import report_kept_changes
from sales.admin.sources import ManagedAdmin
from sales.models import Cadence, CadenceStep
from sales.services.follow_ups import cadences


class StepForm(StrictRowForm, forms.ModelForm):  # type: ignore[type-arg]
    """A step, which is saved with its cadence."""


class StepInline(admin.TabularInline):  # type: ignore[type-arg]
    model = CadenceStep
    form = StepForm
    extra = 1
    ordering = ("day",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = capfirst(db_field.verbose_name)  # the table's header is no label
            if db_field.name == "notes":
                field.widget.attrs["rows"] = 2
        return field


@admin.register(Cadence)
class CadenceAdmin(ManagedAdmin):
    list_display = ("name", "step_count", "is_active")
    search_fields = ("name",)
    ordering = ("name",)
    inlines = (StepInline,)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Cadence]":
        return self.ordered(Cadence.objects.annotate(step_count=Count("steps")))

    @admin.display(description="Steps")
    def step_count(self, cadence: Any) -> int:
        return int(cadence.step_count)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Does nothing: `save_related` saves the cadence with its steps."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        steps, removed = [], []
        for formset in formsets:
            steps += formset.save(commit=False)
            removed += formset.deleted_objects
        cadences.save(by=get_user(request), cadence=form.instance, steps=steps, removed=removed)
        report_kept_changes(request, form)
