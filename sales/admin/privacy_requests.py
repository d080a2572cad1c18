"""The page of privacy requests: when a person's data was exported or erased, and by whom."""

from django.contrib import admin

from sales.admin.base import VisibleAdmin
from sales.models import PrivacyRequest


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(VisibleAdmin):
    list_display = ("created_at", "action", "ran_by", "leads", "rows")
    ordering = ("-id",)
