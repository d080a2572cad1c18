"""The pages of imports: upload a file, look at what it would do, import it, undo it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from athena.accounts.models import User
from athena.admin.requests import get_user
from athena.forms import StrictForm
from athena.http.body_limit import allow_upload
from athena.http.csv_responses import iter_csv, stream_csv
from sales import errors, policy
from sales.admin.base import VisibleAdmin
from sales.admin.imports import import_preview
from sales.exchange import columns, file_reader
from sales.models import ImportRow, LeadImport
from sales.services.imports import import_batches, imports

MAX_UPLOAD_BYTES = 20 * 1_048_576  # of a request: a file of `file_reader.MAX_FILE_BYTES` and what the form adds


class UploadForm(StrictForm):
    """The form that takes a file of leads."""

    file = forms.FileField(
        label="File",
        help_text="CSV (UTF-8) or Excel (.xlsx). The first line names the columns. Of an Excel file, the first sheet "
        "that is not hidden is read; you can choose another one afterwards.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )


@admin.register(LeadImport)
class LeadImportAdmin(VisibleAdmin):
    list_display = ("id", "file_name", "state", "progress", "by", "created_at", "finished_at")
    list_display_links = ("id", "file_name")
    list_select_related = ("by",)
    list_filter = ("state",)
    ordering = ("-id",)
    fields = (("file_name", "state"), ("by", "created_at"), ("finished_at", "undone_by", "undone_at"))
    change_form_template = "admin/sales/leadimport/change_form.html"
    change_list_template = "admin/sales/leadimport/change_list.html"

    @admin.display(description="Rows")
    def progress(self, lead_import: LeadImport) -> str:
        if lead_import.state not in LeadImport.UNFINISHED:
            return f"{lead_import.total:,}"
        bar = '<progress max="{}" value="{}" aria-label="Rows done"></progress> {} of {}'
        done, total = lead_import.processed, lead_import.total
        return format_html(bar, total or 1, done, done, total)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policy.may_import_leads(get_user(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("template/", view(self.template_view), name="sales_leadimport_template"),
            path("<int:pk>/wrong/", view(self.wrong_rows_view), name="sales_leadimport_wrong"),
            path("<int:pk>/start/", view(self.start_view), name="sales_leadimport_start"),
            path("<int:pk>/discard/", view(self.discard_view), name="sales_leadimport_discard"),
            path("<int:pk>/undo/", view(self.undo_view), name="sales_leadimport_undo"),
            path("<int:pk>/sheet/", view(self.sheet_view), name="sales_leadimport_sheet"),
            path("<int:pk>/notation/", view(self.notation_view), name="sales_leadimport_notation"),
            *super().get_urls(),
        ]

    @allow_upload(MAX_UPLOAD_BYTES, *policy.IMPORT_LEADS)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require_permission(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            content = file.read(file_reader.MAX_FILE_BYTES + 1)
            try:
                lead_import = imports.upload(by=get_user(request), file_name=file.name, content=content)
            except errors.Invalid as error:
                form.add_error("file", error.fields["file"])
            else:
                import_batches.run_or_publish(lead_import.pk)
                return HttpResponseRedirect(reverse("admin:sales_leadimport_change", args=[lead_import.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import leads",
            "opts": self.opts,
            "form": form,
            "columns": columns.COLUMNS,
        }
        return TemplateResponse(request, "admin/sales/leadimport/upload.html", context)

    def template_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """Download a file with all columns and an example row."""
        self._require_permission(request)
        header = [column.label for column in columns.COLUMNS]
        example = [column.example for column in columns.COLUMNS]
        return stream_csv("leads-template", iter_csv(header, [example]))

    def wrong_rows_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Download the rows that are wrong, with their problems, to be corrected and uploaded again.

        Cells beyond the header come last.
        """
        lead_import = self._get_visible(request, pk)
        rows = lead_import.rows.filter(state=ImportRow.State.WRONG).order_by("line")
        width = len(lead_import.header)
        cells = (
            [
                *row.cells[:width],
                *[""] * (width - len(row.cells)),
                import_preview.join_problems(row),
                *row.cells[width:],
            ]
            for row in rows.iterator(chunk_size=2_000)
        )
        return stream_csv("wrong-rows", iter_csv([*lead_import.header, file_reader.PROBLEMS_HEADER], cells))

    def sheet_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        sheet = request.POST.get("sheet", "")
        return self._run_step(request, pk, lambda by: imports.choose_sheet(by=by, import_id=pk, sheet=sheet))

    def notation_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        written = {name: request.POST[name] for name in columns.BY_NAME if name in request.POST}
        return self._run_step(request, pk, lambda by: imports.choose_notations(by=by, import_id=pk, written=written))

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        duplicates = request.POST.get("duplicates", "")
        return self._run_step(request, pk, lambda by: imports.start(by=by, import_id=pk, duplicates=duplicates))

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._run_step(request, pk, lambda by: imports.discard(by=by, import_id=pk))

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Undo the import, after a page that asks, since it archives leads."""
        if request.method == "POST" and request.POST.get("post") != "yes":
            lead_import = self._get_visible(request, pk)
            if lead_import.state in imports.UNDOABLE_STATES:
                return self._confirm_undo(request, lead_import)
        return self._run_step(request, pk, lambda by: imports.undo(by=by, import_id=pk))

    def _confirm_undo(self, request: HttpRequest, lead_import: LeadImport) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **import_preview.summarize_undo(lead_import, get_user(request)),
            "title": f"Undo {lead_import}?",
            "button": "Undo this import",
            "opts": self.opts,
            "original": lead_import,
            "back": reverse("admin:sales_leadimport_change", args=[lead_import.pk]),
        }
        return TemplateResponse(request, "admin/sales/leadimport/undo.html", context)

    def _run_step(self, request: HttpRequest, pk: int, step: Callable[[User], LeadImport | None]) -> HttpResponse:
        """Do a step of the import, and then its work, if it leads to any; show why if the service refuses it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._require_permission(request)
        try:
            if step(get_user(request)) is not None:
                import_batches.run_or_publish(pk)
        except errors.NotFound as error:
            raise Http404(str(error)) from error
        except errors.Invalid as error:
            messages.error(request, " ".join(error.fields.values()))
        except errors.SalesError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:sales_leadimport_change", args=[pk]))

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _get_visible(self, request: HttpRequest, pk: int) -> LeadImport:
        self._require_permission(request)
        lead_import: LeadImport | None = LeadImport.objects.visible_to(get_user(request)).filter(pk=pk).first()
        if lead_import is None:
            raise Http404("There is no such import.")
        return lead_import

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        lead_import = kwargs.get("obj")
        if lead_import is not None:
            context |= import_preview.build_context(lead_import, request.GET.get("show", ""), get_user(request))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response
