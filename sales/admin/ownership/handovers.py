"""Users, for whom sales has a word to say: who leaves hands over first, on one page."""

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
from sales.admin.ownership.reassignment import ShareForm, preview, show
from sales.models.lead import Lead
from sales.services import first_steps
from sales.services.ownership import handovers


class PersonForm(StrictRowForm, UserChangeForm):  # type: ignore[type-arg]
    def clean_is_active(self) -> bool:
        stays = bool(self.cleaned_data["is_active"])
        # Locked, so that nobody gives them a lead between this look and the end of the request.
        was = User.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        if was.is_active and not stays and handovers.count_waiting_work(was):
            raise ValidationError(
                format_html(
                    'Leads, follow-ups or rules wait for them. <a href="{}">Hand over, then deactivate</a>.',
                    reverse("admin:accounts_user_handover", args=[was.pk]),
                )
            )
        return stays


class HandoverForm(ShareForm):
    reason = forms.CharField(
        max_length=500,
        required=False,
        help_text="Those who get the leads are told.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


admin.site.unregister(User)


@admin.register(User)
class PeopleAdmin(UserAdmin):
    form = PersonForm
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
        """Everything that waits for somebody: choose who gets it, look, confirm; then the account ends."""
        if not request.user.has_perm("accounts.change_user"):
            raise PermissionDenied
        leaver = User.objects.filter(pk=pk, is_active=True).first()
        if leaver is None:
            raise Http404
        by, step, held = get_user(request), request.POST.get("step"), handovers.count_waiting_work(leaver)
        form = HandoverForm(by, policy.get_receiver_filter(by) & ~Q(pk=leaver.pk), request.POST if step else None)
        form.fields["receivers"].required = bool(held)
        found = None
        if form.is_bound and form.is_valid():
            chosen = {"by": by, "user_id": leaver.pk, **form.chosen()}
            try:
                if step == "confirm":
                    texts = {"reason": form.cleaned_data["reason"], "expected": request.POST.get("expected", "")}
                    done = handovers.hand_over(**chosen, **texts)
                    messages.success(request, _said(done))
                    return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))
            except errors.SalesError as error:
                show(form, error)
            try:
                found = handovers.plan(**chosen)
            except errors.SalesError as error:
                show(form, error)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{leaver} leaves",
            "opts": self.model._meta,
            "leaver": leaver,
            "held": held,
            "closed": Lead.objects.filter(assigned_to=leaver, archived_at__isnull=True).count() - held.leads,
            "form": form,
            "found": found,
            "plan": found and found.plan,
            **(preview(found.plan) if found else {}),
        }
        return TemplateResponse(request, "admin/accounts/user/handover.html", context)


def _said(done: handovers.Handover) -> str:
    many = len(done.plan.moves)
    follow_ups = done.plan.follow_ups + len(done.elsewhere)
    return f"{done.leaver} is deactivated; {many} leads and {follow_ups} follow-ups were handed over."
