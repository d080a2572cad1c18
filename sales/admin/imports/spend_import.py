"""What sources cost, from a CSV file: choose, look, save. Nothing is kept between the steps but what the page holds."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from athena.admin.requests import get_user
from athena.formatting import format_money
from athena.forms import StrictForm
from athena.http.middleware import allow_upload
from sales import errors
from sales.services.imports import spend_import

MOST_BYTES = 1_000_000
MAX_UPLOAD = 2 * 1_048_576  # bytes: with what the form adds


class SpendForm(StrictForm):
    file = forms.FileField(required=False, label="CSV file")
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=MOST_BYTES,
        label="Or its text",
        widget=forms.Textarea(attrs={"rows": 12, "cols": 70, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        upload = values.get("file")
        if upload is not None and upload.size > MOST_BYTES:
            self.add_error("file", "A file has a megabyte at most.")
        elif upload is not None:
            try:
                values["text"] = spend_import.decoded(upload.read())
            except errors.Invalid as error:
                self.add_error("file", error.fields["file"])
        elif not values.get("text") and not self.errors:
            self.add_error("file", "Choose a file, or paste its text.")
        return values


class SpendUpload(admin.ModelAdmin):  # type: ignore[type-arg]
    """For the admin of spend."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.upload_view)
        return [path("upload/", view, name="sales_sourcespend_upload"), *super().get_urls()]

    @allow_upload(MAX_UPLOAD, "sales.add_sourcespend")
    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Say line by line what a file would write; then, asked again with the text that was looked at, write it."""
        if not request.user.has_perm("sales.add_sourcespend"):
            raise PermissionDenied
        form = SpendForm(request.POST or None, request.FILES or None)
        plan: spend_import.Plan | None = None
        if request.method == "POST" and form.is_valid():
            text, by = form.cleaned_data["text"], get_user(request)
            try:
                plan = spend_import.plan(by=by, text=text)
                if request.POST.get("step") == "save":
                    written = spend_import.write(by=by, text=text)
                    messages.success(
                        request, f"{len(written.lines)} amounts saved, {format_money(written.total)} in all."
                    )
                    return HttpResponseRedirect(reverse("admin:sales_sourcespend_changelist"))
            except errors.Invalid as error:
                form.add_error("file", " ".join(error.fields.values()))
            form = form if form.errors else SpendForm(initial={"text": text})  # what was looked at is what is saved
        context = {
            **self.admin_site.each_context(request),
            "title": "Spend from a file",
            "opts": self.model._meta,
            "form": form,
            "plan": plan,
            "columns": ",".join(spend_import.COLUMNS),
        }
        return TemplateResponse(request, "admin/sales/sourcespend/upload.html", context)
