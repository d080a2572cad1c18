"""Transfers and transfer batches: who gave which leads to whom, and undoing a batch."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from athena.admin.requests import get_user
from sales import errors, policy
from sales.admin.base import VisibleAdmin
from sales.admin.ownership.reassignment import SKIP_REASONS, describe_result
from sales.models import LeadTransfer, TransferBatch
from sales.services.ownership import transfer_undo

MAX_SHOWN_TRANSFERS = 100


@admin.register(LeadTransfer)
class LeadTransferAdmin(VisibleAdmin):
    list_display = ("transferred_at", "lead", "from_user", "to_user", "transfer_reason", "transferred_by")
    list_select_related = ("lead", "from_user", "to_user", "transferred_by")
    search_fields = ("lead__company_name", "lead__contact_name")
    ordering = ("-transferred_at", "-id")


@admin.register(TransferBatch)
class TransferBatchAdmin(VisibleAdmin):
    """The user's own batches, and those with at least one lead that the user may see. Shows no other leads."""

    list_display = ("id", "created_at", "made_by", "leads", "reason", "until", "state")
    list_select_related = ("by", "undone_by")
    ordering = ("-id",)
    change_form_template = "admin/sales/transferbatch/change_form.html"
    fields = ("created_at", "made_by", "reason", "until", "state")

    def get_queryset(self, request: HttpRequest) -> Any:
        visible = LeadTransfer.objects.visible_to(get_user(request)).order_by()
        lead_count = Count("transfers", filter=Q(transfers__in=visible.values("pk")))
        return super().get_queryset(request).select_related(*self.list_select_related).annotate(lead_count=lead_count)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    @admin.display(description="Leads", ordering="lead_count")
    def leads(self, batch: Any) -> int:
        return int(batch.lead_count)

    @admin.display(description="By", ordering="by")
    def made_by(self, batch: TransferBatch) -> str:
        return str(batch.by or "Athena")

    @admin.display(description="State")
    def state(self, batch: TransferBatch) -> str:
        parts = []
        if batch.undoes_id is not None:
            parts.append(_link_to_batch("Undoes batch {}", batch.undoes_id))
        undone_by = getattr(batch, "undone_by", None)
        if undone_by is not None:
            parts.append(_link_to_batch("Undone by batch {}", undone_by.pk))
        elif batch.until is not None and batch.returned_at is None:
            parts.append("Will be returned after that day")
        return format_html("{}" + ", {}" * (len(parts) - 1), *parts) if parts else ""

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(self.undo_view)
        return [path("<int:pk>/undo/", undo, name="sales_transferbatch_undo"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        batch = kwargs.get("obj")
        if batch is not None:
            context |= self._build_batch_context(request, batch)
        return super().render_change_form(request, context, *args, **kwargs)

    def _build_batch_context(self, request: HttpRequest, batch: TransferBatch) -> dict[str, Any]:
        """The transfers that the user may see, and, if the user may undo the batch, what that would do."""
        visible = LeadTransfer.objects.filter(batch=batch).visible_to(get_user(request))
        transfers = visible.select_related("lead", "from_user", "to_user").order_by("pk")[:MAX_SHOWN_TRANSFERS]
        can_undo = policy.may_undo_transfer(get_user(request), batch) and not hasattr(batch, "undone_by")
        undo_plan = transfer_undo.plan_undo(batch=batch) if can_undo else None
        returned_ids = set(undo_plan.lead_ids) if undo_plan else set()
        skip_reasons = {pk: SKIP_REASONS[code] for pk, code in undo_plan.skipped} if undo_plan else {}
        return {
            "transfers": [
                (transfer, transfer.lead_id in returned_ids, skip_reasons.get(transfer.lead_id, ""))
                for transfer in transfers
            ],
            "transfer_count": visible.count(),
            "undo_plan": undo_plan,
        }

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Undo a batch: the button of its page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            result = transfer_undo.undo(by=get_user(request), batch_id=pk)
        except errors.NotFound as error:
            raise Http404 from error
        except errors.SalesError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, describe_result(result))
        return HttpResponseRedirect(reverse("admin:sales_transferbatch_change", args=[pk]))


def _link_to_batch(text: str, batch_id: int) -> str:
    url = reverse("admin:sales_transferbatch_change", args=[batch_id])
    return format_html('<a href="{}">{}</a>', url, text.format(batch_id))
