"""Reassigning the selected leads: choose the receivers, preview the transfer, confirm it."""

from collections import Counter
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from athena.accounts.models import User
from athena.admin.requests import get_user
from athena.formatting import format_date
from athena.forms import IdsField, StrictForm
from athena.limits import MAX_TEXT_LENGTH
from sales import errors, policy
from sales.models import Lead
from sales.models.leads.lead import LeadQuerySet
from sales.services.ownership import distribution, transfer_undo, transfers
from sales.services.ownership.distribution import DistributionMethod
from sales.services.ownership.transfer_writes import TransferPlan, TransferResult

MAX_SAMPLES = 10
METHOD_CHOICES = [
    (DistributionMethod.IN_TURN.value, "In turn, going on from the last time"),
    (DistributionMethod.FEWEST_OPEN.value, "To the person with the fewest open leads"),
]
SKIP_REASONS = {
    transfers.ALREADY_OWNER: "already theirs",
    errors.NotYourLead.code: "not yours to give away",
    errors.NoCapacity.code: "every receiver is at their limit of open leads",
    transfer_undo.MOVED_SINCE: "transferred since",
    transfer_undo.ARCHIVED: "archived",
    transfer_undo.OWNER_INACTIVE: "the previous owner is inactive",
}


class ReceiversField(IdsField):
    """Choices of receivers, whose labels say how many open leads they have (`open_leads`, by user id)."""

    open_leads: dict[int, int] = {}

    def label_from_instance(self, user: User) -> str:  # type: ignore[override]
        parts = [str(user)]
        if user.team is not None:
            parts.append(str(user.team))
        if user.pk in self.open_leads:
            limit = "" if user.max_open_leads is None else f" of at most {user.max_open_leads}"
            parts.append(f"{self.open_leads[user.pk]} open{limit}")
        if user.away_until is not None:
            parts.append(f"away until {format_date(user.away_until)}")
        return " · ".join(parts)


class ReceiversForm(StrictForm):
    """Who gets the leads, and how several receivers share them."""

    receivers = ReceiversField(User.objects.none(), label="Give them to", widget=forms.CheckboxSelectMultiple)
    way = forms.ChoiceField(
        choices=METHOD_CHOICES,
        initial=DistributionMethod.IN_TURN.value,
        widget=forms.RadioSelect,
        label="If you choose several",
        required=False,
    )

    def __init__(self, user: User, receivers: Q, *args: Any, **kwargs: Any) -> None:
        """`receivers` filters the users that can be chosen.

        `user` sees how many open leads a receiver has only if they may read that receiver's leads.
        """
        super().__init__(*args, **kwargs)
        users = User.objects.filter(receivers).select_related("team")
        workloads = distribution.get_workloads(users.filter(policy.get_visible_owner_filter(user)))
        field = cast(ReceiversField, self.fields["receivers"])
        field.queryset = users
        field.open_leads = {workload.user.pk: workload.open_before for workload in workloads}

    def get_distribution(self) -> dict[str, Any]:
        """The receivers and the method, as the services take them."""
        return {
            "receivers": [user.pk for user in self.cleaned_data["receivers"]],
            "method": self.cleaned_data["way"] or DistributionMethod.IN_TURN.value,
        }


class ReassignForm(ReceiversForm):
    reason = forms.CharField(
        max_length=500,
        help_text="The old and the new owners are notified with this reason.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    until = forms.DateField(
        required=False,
        label="Until",
        help_text="The last day of a temporary transfer: after it, Athena returns the leads that are still open. "
        "Leave it empty for a permanent transfer.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    notes = forms.CharField(required=False, max_length=MAX_TEXT_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))


def reassign(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: LeadQuerySet) -> HttpResponse | None:
    """The page of the action "Reassign selected leads"; None when it is done, which leads back to the list.

    The queryset is the selection or, for a whole list, its filters: the form never carries all the leads. The plan's
    fingerprint ensures that users confirm only what they have seen.
    """
    by, step = get_user(request), request.POST.get("step")
    form = ReassignForm(by, policy.get_receiver_filter(by), request.POST if step else None)
    plan = None
    if form.is_bound and form.is_valid():
        arguments = {
            "by": by,
            "leads": queryset,
            "until": form.cleaned_data["until"],
            **form.get_distribution(),
        }
        try:
            if step == "confirm":
                result = transfers.transfer(
                    **arguments,
                    reason=form.cleaned_data["reason"],
                    notes=form.cleaned_data["notes"],
                    expected=request.POST.get("expected", ""),
                )
                messages.success(request, describe_result(result))
                return None
        except errors.SalesError as error:
            add_service_error(form, error)
        try:
            plan = transfers.plan(**arguments)
        except errors.SalesError as error:
            add_service_error(form, error)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Reassign leads",
        "opts": model_admin.model._meta,
        "form": form,
        "plan": plan,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "count": queryset.count(),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        **(build_plan_context(plan) if plan else {}),
    }
    return TemplateResponse(request, "admin/sales/lead/reassign.html", context)


def build_plan_context(plan: TransferPlan) -> dict[str, Any]:
    """What `transfer_plan.html` shows besides the plan: sample moves, sample skipped leads, and counts by reason."""
    skipped = plan.skipped[:MAX_SAMPLES]
    leads = Lead.objects.in_bulk([lead_id for lead_id, _ in skipped])
    counts = Counter(code for _, code in plan.skipped)
    return {
        "sample_moves": plan.moves[:MAX_SAMPLES],
        "sample_skipped": [(leads.get(lead_id, lead_id), SKIP_REASONS.get(code, code)) for lead_id, code in skipped],
        "skip_counts": [(SKIP_REASONS.get(code, code), count) for code, count in counts.items()],
    }


def describe_result(result: TransferResult) -> str:
    """The message about a transfer that was carried out, with a link to its batch."""
    totals = result.receiver_totals
    receivers = str(totals[0].user or "nobody") if len(totals) == 1 else "several people"
    if len(totals) > 1:
        shares = ", ".join(f"{total.lead_count} to {total.user or 'nobody'}" for total in totals)
        receivers = f"{receivers} ({shares})"
    leads = "1 lead" if len(result.moves) == 1 else f"{len(result.moves)} leads"
    follow_ups = "1 open follow-up" if result.follow_up_count == 1 else f"{result.follow_up_count} open follow-ups"
    message = f"{leads} given to {receivers}, with {follow_ups}."
    if len(result.skipped) == 1:
        message += " 1 lead stays as it is."
    elif result.skipped:
        message += f" {len(result.skipped)} leads stay as they are."
    if result.batch is None:
        return message
    url = reverse("admin:sales_transferbatch_change", args=[result.batch.pk])
    return format_html('{} <a href="{}">View or undo the transfer</a>', message, url)


def add_service_error(form: forms.Form, error: errors.SalesError) -> None:
    """Add a service's error to the form, beside the field it is about; only once, even if it was raised twice."""
    problems: dict[str | None, str]
    if isinstance(error, errors.StaleVersion):
        problems = {None: "The plan has changed since you looked at it. Check it again, then confirm."}
    elif isinstance(error, errors.Invalid):
        problems = {name if name in form.fields else None: problem for name, problem in error.fields.items()}
    else:
        problems = {None: str(error)}
    for name, problem in problems.items():
        if problem not in form.errors.get(name or NON_FIELD_ERRORS, []):
            form.add_error(name, problem)
