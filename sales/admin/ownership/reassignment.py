"""Reassigning selected leads: choose who gets them, look at what would happen, confirm."""

from typing import Any

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
from sales.models.lead import LeadQuerySet
from sales.services.ownership import distribution, transfers
from sales.services.ownership.transfer_writes import TransferPlan, TransferResult

SAMPLE = 10
WAYS = [
    (transfers.DistributionMethod.IN_TURN.value, "In turn, going on from the last time"),
    (transfers.DistributionMethod.FEWEST_OPEN.value, "To whoever has fewest open leads"),
]
REASONS = {
    "already_owner": "theirs already",
    "not_your_lead": "not yours to give away",
    "no_capacity": "nobody chosen may have more open leads",
    "moved_since": "transferred since",
    "archived": "archived",
    "owner_inactive": "its owner of before has left",
}


class ShareForm(StrictForm):
    """Who gets leads, and how."""

    receivers = IdsField(User.objects.none(), label="Give them to", widget=forms.CheckboxSelectMultiple)
    way = forms.ChoiceField(
        choices=WAYS, initial=WAYS[0][0], widget=forms.RadioSelect, label="If several", required=False
    )

    def __init__(self, user: User, receivers: Q, *args: Any, **kwargs: Any) -> None:
        """`user` is told how many open leads a receiver has where they may read that receiver's leads."""
        super().__init__(*args, **kwargs)
        people = User.objects.filter(receivers).select_related("team")
        had = {
            hand.user.pk: hand.open_before
            for hand in distribution.get_workloads(people.filter(policy.get_visible_owner_filter(user)))
        }
        field: Any = self.fields["receivers"]
        field.queryset = people
        field.label_from_instance = lambda user: _named(user, had.get(user.pk))

    def chosen(self) -> dict[str, Any]:
        """What the services are asked."""
        return {
            "receivers": [user.pk for user in self.cleaned_data["receivers"]],
            "way": self.cleaned_data["way"] or transfers.DistributionMethod.IN_TURN.value,
        }


class ReassignForm(ShareForm):
    reason = forms.CharField(
        max_length=500, help_text="Both people are told.", widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    until = forms.DateField(
        required=False,
        label="Until",
        help_text="Empty: for good. Otherwise the last day; then Athena gives back what is still open.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    notes = forms.CharField(required=False, max_length=MAX_TEXT_LENGTH, widget=forms.Textarea(attrs={"rows": 3}))


def reassign(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: LeadQuerySet) -> HttpResponse | None:
    """The page of the action; None when it is done, which leads back to the list.

    The queryset is the selection or, of a whole list, its filters: the form never carries all the leads. What was
    looked at is known by its fingerprint, so nothing else is confirmed.
    """
    by, step = get_user(request), request.POST.get("step")
    form = ReassignForm(by, policy.get_receiver_filter(by), request.POST if step else None)
    plan = None
    if form.is_bound and form.is_valid():
        chosen = {"by": by, "leads": queryset, "until": form.cleaned_data["until"], **form.chosen()}
        try:
            if step == "confirm":
                texts = {name: form.cleaned_data[name] for name in ("reason", "notes")}
                done = transfers.transfer(**chosen, **texts, expected=request.POST.get("expected", ""))
                messages.success(request, said(done))
                return None
        except errors.SalesError as error:
            show(form, error)
        try:
            plan = transfers.plan(**chosen)
        except errors.SalesError as error:
            show(form, error)
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
        **(preview(plan) if plan else {}),
    }
    return TemplateResponse(request, "admin/sales/lead/reassign.html", context)


def preview(plan: TransferPlan) -> dict[str, Any]:
    """What the page of a plan shows: some rows of each kind, and why leads stay."""
    staying = dict(plan.skipped[:SAMPLE])
    names = Lead.objects.in_bulk(staying)
    counts: dict[str, int] = {}
    for _, code in plan.skipped:
        counts[code] = counts.get(code, 0) + 1
    return {
        "sample": plan.moves[:SAMPLE],
        "staying": [(names.get(pk, pk), REASONS.get(code, code)) for pk, code in staying.items()],
        "why_staying": [(REASONS.get(code, code), many) for code, many in counts.items()],
    }


def said(done: TransferResult) -> str:
    """What has happened, with the way back."""
    to = (
        ", ".join(f"{share.leads} to {share.user or 'nobody'}" for share in done.shares) if len(done.shares) > 1 else ""
    )
    one = str(done.shares[0].user or "nobody") if len(done.shares) == 1 else "several people"
    moved = f"{_count(len(done.moves), 'lead')} given to {one}{f' ({to})' if to else ''}"
    moved += f", with {_count(done.follow_ups, 'open follow-up')}."
    moved += f" {len(done.skipped)} left as they were." if done.skipped else ""
    if done.batch is None:
        return moved
    url = reverse("admin:sales_transferbatch_change", args=[done.batch.pk])
    return format_html('{} <a href="{}">Look at it, or undo it</a>', moved, url)


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _named(user: User, open_leads: int | None) -> str:
    parts = [str(user), *([str(user.team)] if user.team else [])]
    if open_leads is not None:
        limit = "" if user.max_open_leads is None else f" of at most {user.max_open_leads}"
        parts.append(f"{open_leads} open{limit}")
    if user.away_until is not None:
        parts.append(f"away until {format_date(user.away_until)}")
    return " · ".join(parts)


def show(form: forms.Form, error: errors.SalesError) -> None:
    """Say on the form what a service refused; once, though it is asked twice."""
    wrong: dict[str | None, str]
    if isinstance(error, errors.StaleVersion):
        wrong = {None: "What would happen has changed since you looked at it. Look again, then decide."}
    elif isinstance(error, errors.Invalid):
        wrong = {name if name in form.fields else None: why for name, why in error.fields.items()}
    else:
        wrong = {None: str(error)}
    for name, why in wrong.items():
        if why not in form.errors.get(name or NON_FIELD_ERRORS, []):
            form.add_error(name, why)
