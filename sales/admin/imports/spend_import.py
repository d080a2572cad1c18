"""The page that imports spend from a CSV file: upload it, look at what it would write, save it.

Between these steps only the page keeps the file's text.
"""

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
from athena.http.body_limit import allow_upload
from sales import errors, policy
from sales.services.imports import spend_import

MAX_FILE_BYTES = 1_000_000
MAX_UPLOAD_BYTES = 2 * 1_048_576  # of a request: a file and what the form adds


class SpendForm(StrictForm):
    """Takes a file or its text; the text is in `cleaned_data["text"]`."""

    file = forms.FileField(required=False, label="CSV file")
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=MAX_FILE_BYTES,
        label="Or its text",
        widget=forms.Textarea(attrs={"rows": 12, "cols": 70, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        upload = values.get("file")
        if upload is not None and upload.size > MAX_FILE_BYTES:
            self.add_error("file", "The file is larger than 1 MB. Split it and upload the parts.")
        elif upload is not None:
            try:
                values["text"] = spend_import.decode_file(upload.read())
            except errors.Invalid as error:
                self.add_error("file", error.fields["file"])
        elif not values.get("text") and not self.errors:
            self.add_error("file", "Choose a file, or paste its text.")
        return values


class SpendUpload(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adds the page to the admin of spend."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.upload_view)
        return [path("upload/", view, name="sales_sourcespend_upload"), *super().get_urls()]

    @allow_upload(MAX_UPLOAD_BYTES, policy.ADD_SPEND)
    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Show what the rows of a file would write; with `step=save`, write the text that was shown."""
        if not policy.may_add_spend(get_user(request)):
            raise PermissionDenied
        form = SpendForm(request.POST or None, request.FILES or None)
        plan: spend_import.SpendPlan | None = None
        if request.method == "POST" and form.is_valid():
            text, by = form.cleaned_data["text"], get_user(request)
            try:
                plan = spend_import.plan_spend(by=by, text=text)
                if request.POST.get("step") == "save":
                    saved = spend_import.save_spend(by=by, text=text)
                    messages.success(request, _describe_saved(saved))
                    return HttpResponseRedirect(reverse("admin:sales_sourcespend_changelist"))
            except errors.Invalid as error:
                form.add_error("file", " ".join(error.fields.values()))
            form = form if form.errors else SpendForm(initial={"text": text})  # so that what was shown is saved
        context = {
            **self.admin_site.each_context(request),
            "title": "Import spend",
            "opts": self.model._meta,
            "form": form,
            "plan": plan,
            "columns": ",".join(spend_import.COLUMNS),
        }
        return TemplateResponse(request, "admin/sales/sourcespend/upload.html", context)


def _describe_saved(plan: spend_import.SpendPlan) -> str:
    amounts = "1 amount was" if len(plan.rows) == 1 else f"{len(plan.rows)} amounts were"
    return f"{amounts} saved, {format_money(plan.total)} in all."
