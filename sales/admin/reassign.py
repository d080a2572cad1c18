"""Reassigning selected leads: choose the receiver, look at what would happen, confirm."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from athena.accounts.models import User
from sales import errors, policy
from sales.admin.base import person
from sales.models.lead import LeadQuerySet
from sales.services import transfers

SAMPLE = 10


class ReassignForm(forms.Form):
    to_user = forms.ModelChoiceField(User.objects.none(), label="Give them to")
    reason = forms.CharField(
        max_length=500, help_text="Both people are told.", widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_user"].queryset = User.objects.filter(policy.receivers_for(by))  # type: ignore[attr-defined]


def reassign(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: LeadQuerySet) -> HttpResponse | None:
    """The page of the action; None when it is done, which leads back to the list."""
    by = person(request)
    form = ReassignForm(by, request.POST if "step" in request.POST else None)
    plan = None
    if form.is_bound and form.is_valid():
        to = form.cleaned_data["to_user"]
        try:
            if request.POST["step"] == "confirm":
                done = transfers.transfer(
                    by=by,
                    leads=queryset,
                    to_user_id=to.pk,
                    reason=form.cleaned_data["reason"],
                    notes=form.cleaned_data["notes"],
                )
                messages.success(request, _said(done))
                return None
            plan = transfers.plan(by=by, leads=queryset, to_user_id=to.pk)
        except errors.SalesError as error:
            form.add_error(None, str(error))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Reassign leads",
        "opts": model_admin.model._meta,
        "form": form,
        "plan": plan,
        "sample": plan.moving[:SAMPLE] if plan else [],
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "count": queryset.count(),
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/sales/lead/reassign.html", context)


def _said(done: transfers.Done) -> str:
    moved = f"{len(done.moving)} lead{'' if len(done.moving) == 1 else 's'} given to {done.receiver}"
    moved += f", with {done.follow_ups} open follow-up{'' if done.follow_ups == 1 else 's'}."
    return moved + (f" {len(done.skipped)} left as they were." if done.skipped else "")
