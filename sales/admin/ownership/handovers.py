"""The users' pages, with what sales adds: a user who leaves hands over their work first, on a page of its own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from athena.accounts.admin import UserAdmin
from athena.accounts.models import User
from athena.admin.requests import get_user
from athena.forms import StrictRowForm
from sales import errors, policy
from sales.admin.ownership.reassignment import (
    ReceiversForm,
    add_service_error,
    build_plan_context,
)
from sales.models.leads.lead import Lead
from sales.services import first_steps
from sales.services.ownership import handovers


class UserWorkForm(StrictRowForm, UserChangeForm):  # type: ignore[type-arg]
    """A user's form, which deactivates nobody for whom work is waiting."""

    def clean_is_active(self) -> bool:
        stays_active = bool(self.cleaned_data["is_active"])
        # The lock keeps others from giving the user a lead until the request ends.
        user = User.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        if user.is_active and not stays_active and handovers.count_waiting_work(user):
            raise ValidationError(
                format_html(
                    "This user still has open leads, follow-ups or assignment rules. "
                    '<a href="{}">Hand them over and deactivate the user</a>.',
                    reverse("admin:accounts_user_handover", args=[user.pk]),
                )
            )
        return stays_active


class HandoverForm(ReceiversForm):
    reason = forms.CharField(
        max_length=500,
        required=False,
        help_text="The receivers are notified with this reason.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


admin.site.unregister(User)


@admin.register(User)
class SalesUserAdmin(UserAdmin):
    form = UserWorkForm
    change_form_template = "admin/accounts/user/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        put_away = view(require_POST(self.put_first_steps_away_view))
        return [
            path("<int:pk>/handover/", view(self.handover_view), name="accounts_user_handover"),
            path("put-first-steps-away/", put_away, name="accounts_user_put_first_steps_away"),
            *super().get_urls(),
        ]

    def put_first_steps_away_view(self, request: HttpRequest) -> HttpResponse:
        """One's own first steps leave the home page."""
        try:
            first_steps.hide(by=get_user(request))
        except errors.NotAllowed as error:
            raise PermissionDenied from error
        messages.success(request, "The first steps are put away.")
        return HttpResponseRedirect(reverse("admin:index"))

    def handover_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand over a user's work: choose the receivers, preview, confirm; then the user is deactivated."""
        by = get_user(request)
        if not policy.may_hand_over(by):
            raise PermissionDenied
        leaver = User.objects.filter(pk=pk, is_active=True).first()
        if leaver is None:
            raise Http404
        step, waiting_work = request.POST.get("step"), handovers.count_waiting_work(leaver)
        form = HandoverForm(by, policy.get_receiver_filter(by) & ~Q(pk=leaver.pk), request.POST if step else None)
        form.fields["receivers"].required = bool(waiting_work)
        handover = None
        if form.is_bound and form.is_valid():
            arguments = {"by": by, "user_id": leaver.pk, **form.get_distribution()}
            try:
                if step == "confirm":
                    reason, expected = form.cleaned_data["reason"], request.POST.get("expected", "")
                    done = handovers.hand_over(**arguments, reason=reason, expected=expected)
                    messages.success(request, _describe_handover(done))
                    return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
            except errors.SalesError as error:
                add_service_error(form, error)
            try:
                handover = handovers.plan(**arguments)
            except errors.SalesError as error:
                add_service_error(form, error)
        context = self._build_handover_context(request, leaver, waiting_work, form, handover)
        return TemplateResponse(request, "admin/accounts/user/handover.html", context)

    def _build_handover_context(
        self,
        request: HttpRequest,
        leaver: User,
        waiting_work: handovers.WaitingWork,
        form: HandoverForm,
        handover: handovers.Handover | None,
    ) -> dict[str, Any]:
        owned_leads = Lead.objects.filter(assigned_to=leaver, archived_at__isnull=True)
        return {
            **self.admin_site.each_context(request),
            "title": f"Hand over the work of {leaver}",
            "opts": self.model._meta,
            "leaver": leaver,
            "waiting_work": waiting_work,
            "closed_lead_count": owned_leads.count() - waiting_work.leads,
            "form": form,
            "handover": handover,
            "plan": handover.plan if handover else None,
            **(build_plan_context(handover.plan) if handover else {}),
        }


def _describe_handover(handover: handovers.Handover) -> str:
    leads = "1 lead" if len(handover.plan.moves) == 1 else f"{len(handover.plan.moves)} leads"
    follow_ups = "1 follow-up" if handover.follow_up_count == 1 else f"{handover.follow_up_count} follow-ups"
    return f"{handover.leaver} has been deactivated. Handed over: {leads} and {follow_ups}."
