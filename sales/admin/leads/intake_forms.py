"""The admin of intake forms, with the address and the HTML to put one on a website."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from athena.admin.requests import get_user
from sales.admin.base import ServiceAdmin
from sales.models import IntakeForm
from sales.services.leads import intake_forms


@admin.register(IntakeForm)
class IntakeFormAdmin(ServiceAdmin):
    list_display = ("name", "source", "is_active", "created_at")
    list_select_related = ("source",)
    list_filter = ("is_active",)
    ordering = ("name",)
    fields = ("name", "source", "allowed_origins", "thank_you_url", "is_active")
    instructions = ("key", "address", "embed")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, *self.instructions) if obj is not None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.instructions if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        intake_forms.save(by=get_user(request), form=obj)

    @admin.display(description="Address of the form")
    def address(self, form: IntakeForm) -> str:
        return format_html('<a href="{0}">{0}</a>', _address(form))

    @admin.display(description="HTML to embed the form")
    def embed(self, form: IntakeForm) -> str:
        return format_html("<code>{}</code>", f'<iframe src="{_address(form)}" title="Request a quote"></iframe>')


def _address(form: IntakeForm) -> str:
    return f"{settings.BASE_URL}{reverse('intake', args=[form.key])}"
