"""Who gave what to whom."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest

from sales.admin.base import VisibleAdmin, person
from sales.models import LeadTransfer, TransferBatch


@admin.register(LeadTransfer)
class LeadTransferAdmin(VisibleAdmin):
    list_display = ("transferred_at", "lead", "from_user", "to_user", "transfer_reason", "transferred_by")
    list_select_related = ("lead", "from_user", "to_user", "transferred_by")
    search_fields = ("lead__company_name", "lead__contact_name")
    ordering = ("-transferred_at", "-id")


@admin.register(TransferBatch)
class TransferBatchAdmin(VisibleAdmin):
    """Batches of whose leads the user may see at least one."""

    list_display = ("id", "created_at", "by", "leads", "reason")
    list_select_related = ("by",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        visible = LeadTransfer.objects.visible_to(person(request)).order_by()
        rows = super().get_queryset(request).filter(pk__in=visible.values("batch"))
        return rows.annotate(lead_count=Count("transfers", filter=Q(transfers__in=visible.values("pk"))))

    @admin.display(description="Leads", ordering="lead_count")
    def leads(self, batch: Any) -> int:
        return int(batch.lead_count)
