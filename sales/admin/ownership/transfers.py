"""Who gave what to whom, batch by batch, and the way back."""

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
from sales.admin.ownership.reassignment import REASONS, said
from sales.models import LeadTransfer, TransferBatch
from sales.services.ownership import transfer_undo

SHOWN = 100


@admin.register(LeadTransfer)
class LeadTransferAdmin(VisibleAdmin):
    list_display = ("transferred_at", "lead", "from_user", "to_user", "transfer_reason", "transferred_by")
    list_select_related = ("lead", "from_user", "to_user", "transferred_by")
    search_fields = ("lead__company_name", "lead__contact_name")
    ordering = ("-transferred_at", "-id")


@admin.register(TransferBatch)
class TransferBatchAdmin(VisibleAdmin):
    """One's own batches, and those of whose leads the user may see at least one: of the others nothing is said."""

    list_display = ("id", "created_at", "made_by", "leads", "reason", "until", "state")
    list_select_related = ("by", "undone_by")
    ordering = ("-id",)
    change_form_template = "admin/sales/transferbatch/change_form.html"
    fields = ("created_at", "made_by", "reason", "until", "state")

    def get_queryset(self, request: HttpRequest) -> Any:
        visible = LeadTransfer.objects.visible_to(get_user(request)).order_by()
        seen = Count("transfers", filter=Q(transfers__in=visible.values("pk")))
        return super().get_queryset(request).select_related(*self.list_select_related).annotate(lead_count=seen)

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
            parts.append(_link("Gives back batch {}", batch.undoes_id))
        undone_by = getattr(batch, "undone_by", None)
        if undone_by is not None:
            parts.append(_link("Given back by batch {}", undone_by.pk))
        elif batch.until is not None and batch.returned_at is None:
            parts.append("Comes back after that day")
        return format_html("{}" + ", {}" * (len(parts) - 1), *parts) if parts else ""

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(self.undo_view)
        return [path("<int:pk>/undo/", undo, name="sales_transferbatch_undo"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        batch = kwargs.get("obj")
        if batch is not None:
            context |= self._story(request, batch)
        return super().render_change_form(request, context, *args, **kwargs)

    def _story(self, request: HttpRequest, batch: TransferBatch) -> dict[str, Any]:
        """The leads that the user may see, and what undoing would do."""
        made = LeadTransfer.objects.filter(batch=batch).visible_to(get_user(request))
        rows = made.select_related("lead", "from_user", "to_user").order_by("pk")[:SHOWN]
        may = policy.may_undo_transfer(get_user(request), batch) and not hasattr(batch, "undone_by")
        found = transfer_undo.plan_undo(batch=batch) if may else None
        back = set(found.lead_ids) if found else set()
        why = {pk: REASONS[code] for pk, code in found.skipped} if found else {}
        return {
            "transfers": [(row, row.lead_id in back, why.get(row.lead_id, "")) for row in rows],
            "transfer_count": made.count(),
            "undoing": found,
        }

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("sales.view_transferbatch"):
            raise PermissionDenied
        try:
            done = transfer_undo.undo(by=get_user(request), batch_id=pk)
        except errors.NotFound as error:
            raise Http404 from error
        except errors.SalesError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, said(done))
        return HttpResponseRedirect(reverse("admin:sales_transferbatch_change", args=[pk]))


def _link(text: str, batch_id: int) -> str:
    url = reverse("admin:sales_transferbatch_change", args=[batch_id])
    return format_html('<a href="{}">{}</a>', url, text.format(batch_id))
