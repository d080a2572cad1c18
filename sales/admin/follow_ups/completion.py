"""The page that completes a follow-up. The home page posts its short form here, too."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from athena.admin.requests import get_user
from sales import errors
from sales.admin.navigation import next_page
from sales.forms import CompletionForm
from sales.models import CadenceEnrolment, FollowUp
from sales.services.follow_ups import follow_ups, planning


def show_warnings(request: HttpRequest, follow_up: FollowUp | None) -> None:
    """Show the warnings about a follow-up that was just planned."""
    for warning in planning.find_warnings(follow_up):
        messages.warning(request, warning["message"])


class CompletionPage(admin.ModelAdmin):  # type: ignore[type-arg]
    """The part of `FollowUpAdmin` that completes a follow-up."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.complete_view)
        return [path("<int:pk>/complete/", view, name="sales_followup_complete"), *super().get_urls()]

    def complete_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form that completes a follow-up, and complete it."""
        follow_up = self.get_queryset(request).select_related("lead").filter(pk=pk).first()
        if follow_up is None:
            raise Http404
        lead_page = reverse("admin:sales_lead_change", args=[follow_up.lead_id])
        form = CompletionForm(follow_up, request.POST if request.method == "POST" else None)
        if "more" in request.POST:  # "More" in the home page's short form: show this page with what was typed
            form = CompletionForm.prefilled(follow_up, request.POST)
        elif request.method == "POST" and form.is_valid() and self._complete(request, follow_up, form):
            return HttpResponseRedirect(next_page(request, lead_page))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"{follow_up.get_follow_up_type_display()}: {follow_up.lead}",
            "opts": self.model._meta,
            "original": follow_up,
            "enrolment": CadenceEnrolment.objects.running().select_related("cadence").filter(follow_up=pk).first(),
            "form": form,
            "back": next_page(request, lead_page),
        }
        return TemplateResponse(request, "admin/sales/followup/complete.html", context)

    def _complete(self, request: HttpRequest, follow_up: FollowUp, form: CompletionForm) -> bool:
        """Complete the follow-up. If the service refuses, put the reason on the form and return False."""
        try:
            result = follow_ups.complete(
                by=get_user(request), follow_up_id=follow_up.pk, completion_input=form.to_completion_input()
            )
        except errors.Invalid as error:
            for name, message in error.fields.items():
                form.add_error(name if name in form.fields else None, message)
        except errors.SalesError as error:
            form.add_error(None, str(error))
        else:
            next_note = f" Next: {result.next_follow_up}." if result.next_follow_up else ""
            messages.success(request, f"Completed: {follow_up.lead}.{next_note}")
            show_warnings(request, result.next_follow_up)
            return True
        return False
