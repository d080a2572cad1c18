"""Imports and exports: send a file, look at what it would do, import it, undo it; and who has taken leads out."""

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

from athena.admin.requests import get_user
from athena.forms import StrictForm
from athena.http.middleware import allow_upload
from sales import errors
from sales.admin.base import VisibleAdmin
from sales.admin.imports import import_preview
from sales.admin.imports.import_preview import problems_of
from sales.exchange import columns, file_reader, file_writer
from sales.models import ImportRow, LeadExport, LeadImport, PrivacyRequest
from sales.services.imports import import_batches, imports

MAX_UPLOAD = 20 * 1_048_576  # bytes: a file of `file_reader.MAX_FILE_BYTES` and what the form adds


class UploadForm(StrictForm):
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
        user = get_user(request)
        return user.has_perm("sales.add_leadimport") and user.has_perm(imports.PERMISSION)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        steps: dict[str, Any] = {
            "start": self.start_view,
            "discard": self.discard_view,
            "undo": self.undo_view,
            "sheet": self.sheet_view,
            "notation": self.notation_view,
        }
        return [
            path("template/", view(self.template_view), name="sales_leadimport_template"),
            path("<int:pk>/wrong/", view(self.wrong_view), name="sales_leadimport_wrong"),
            *(path(f"<int:pk>/{name}/", view(to), name=f"sales_leadimport_{name}") for name, to in steps.items()),
            *super().get_urls(),
        ]

    @allow_upload(MAX_UPLOAD, "sales.add_leadimport", imports.PERMISSION)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                made = imports.upload(
                    by=get_user(request), file_name=file.name, content=file.read(file_reader.MAX_FILE_BYTES + 1)
                )
            except errors.Invalid as error:
                form.add_error("file", error.fields["file"])
            else:
                import_batches.work_now(made.pk)
                return HttpResponseRedirect(reverse("admin:sales_leadimport_change", args=[made.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Import leads",
            "opts": self.opts,
            "form": form,
            "columns": columns.COLUMNS,
        }
        return TemplateResponse(request, "admin/sales/leadimport/upload.html", context)

    def template_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """A file with all columns and an example."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        header = [column.label for column in columns.COLUMNS]
        example = [column.example for column in columns.COLUMNS]
        return csv_response("leads-template.csv", file_writer.iter_csv(header, [example]))

    def wrong_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The rows that are wrong, with what is: to be mended and sent again. Cells beyond the header come last."""
        lead_import = self._seen(request, pk)
        rows = lead_import.rows.filter(state=ImportRow.State.WRONG).order_by("line")
        wide = len(lead_import.header)
        shown = (
            [*row.cells[:wide], *[""] * (wide - len(row.cells)), problems_of(row), *row.cells[wide:]]
            for row in rows.iterator(chunk_size=2_000)
        )
        return csv_response(
            "wrong-rows.csv", file_writer.iter_csv([*lead_import.header, file_reader.PROBLEMS_HEADER], shown)
        )

    def sheet_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def choose() -> None:
            imports.choose_sheet(by=get_user(request), import_id=pk, sheet=request.POST.get("sheet", ""))
            import_batches.work_now(pk)

        return self._step(request, pk, choose)

    def notation_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def choose() -> None:
            names = self._seen(request, pk).notations
            written = {name: request.POST.get(name, "") for name in names}
            imports.choose_notations(by=get_user(request), import_id=pk, written=written)
            import_batches.work_now(pk)

        return self._step(request, pk, choose)

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def start() -> None:
            imports.start(by=get_user(request), import_id=pk, duplicates=request.POST.get("duplicates", ""))
            import_batches.work_now(pk)

        return self._step(request, pk, start)

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._step(request, pk, lambda: imports.discard(by=get_user(request), import_id=pk))

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask first: it archives leads."""
        if request.method == "POST" and request.POST.get("post") != "yes":
            lead_import = self._seen(request, pk)
            if lead_import.state in imports.UNDOABLE:
                return self._ask_to_undo(request, lead_import)

        def undo() -> None:
            imports.undo(by=get_user(request), import_id=pk)
            import_batches.work_now(pk)

        return self._step(request, pk, undo)

    def _ask_to_undo(self, request: HttpRequest, lead_import: LeadImport) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **import_preview.what_undoing_does(lead_import, get_user(request)),
            "title": f"Undo {lead_import}?",
            "button": "Undo this import",
            "opts": self.opts,
            "original": lead_import,
            "back": reverse("admin:sales_leadimport_change", args=[lead_import.pk]),
        }
        return TemplateResponse(request, "admin/sales/leadimport/undo.html", context)

    def _step(self, request: HttpRequest, pk: int, do: Callable[[], object]) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._seen(request, pk)
        try:
            do()
        except errors.Invalid as error:
            messages.error(request, " ".join(error.fields.values()))
        except errors.SalesError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:sales_leadimport_change", args=[pk]))

    def _seen(self, request: HttpRequest, pk: int) -> LeadImport:
        if not self.has_add_permission(request):
            raise PermissionDenied
        lead_import: LeadImport | None = LeadImport.objects.visible_to(get_user(request)).filter(pk=pk).first()
        if lead_import is None:
            raise Http404("There is no such import.")
        return lead_import

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        lead_import = kwargs.get("obj")
        if lead_import is not None:
            context |= import_preview.of(lead_import, request.GET.get("show", ""), get_user(request))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


def csv_response(name: str, parts: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        parts,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@admin.register(LeadExport)
class LeadExportAdmin(VisibleAdmin):
    list_display = ("created_at", "by", "file_format", "leads", "filters")
    list_select_related = ("by",)
    list_filter = ("file_format",)
    ordering = ("-id",)


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(VisibleAdmin):
    list_display = ("created_at", "action", "ran_by", "leads", "rows")
    ordering = ("-id",)
