"""Receives inquiries from intake forms: each becomes a lead or joins the open lead of the same client."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from athena.accounts.models import User
from athena.formatting import format_datetime
from sales import errors, normalization, schedule
from sales.models import Activity, Inquiry, IntakeForm, Lead, LeadSource
from sales.models.leads.lead import UTM_FIELDS
from sales.queries.leads import duplicates
from sales.services import activities, locks
from sales.services.leads import arrival_alerts, leads
from sales.services.scoring import scores

MAX_MESSAGE_LENGTH = 1_000  # characters of an inquiry in its notification
RESEND_WINDOW = timedelta(hours=24)  # an identical inquiry within this time is the same one, sent again
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # easy to read out on the phone


@transaction.atomic
def receive_inquiry(*, form: IntakeForm, values: Mapping[str, Any]) -> str:
    """Receive an inquiry and return its reference, which people can quote when they call.

    If an open lead has the same email or phone, the inquiry joins it as an inbound activity that contains all that was
    sent; the lead's last touch is updated, and its owner is notified, or the managers if it is unassigned. Otherwise
    the inquiry becomes a new lead. An identical inquiry that was just received gets the same reference again. `values`
    are the fields of a lead, with the name of a `source`. Raises `Invalid`.
    """
    _check(values)
    lock_intake_forms()
    fingerprint = _fingerprint(values)
    earlier_inquiry = Inquiry.objects.filter(
        form=form, fingerprint=fingerprint, received_at__gte=timezone.now() - RESEND_WINDOW
    ).first()
    if earlier_inquiry is not None:
        return str(earlier_inquiry.reference)
    source = _find_source(form, values)
    lead, is_new = _find_or_create_lead({**values, "source": source.pk if source else None})
    reference = make_reference()
    _log_inquiry(lead, form, values, source, reference)
    Inquiry.objects.create(form=form, lead=lead, reference=reference, fingerprint=fingerprint)
    if not is_new:
        arrival_alerts.notify_arrivals([_build_arrival(lead, form, values, reference)], by=None)
    return reference


def make_reference() -> str:
    """A new random reference. Senders whose inquiry is silently dropped get one, too."""
    return get_random_string(8, _ALPHABET)


def lock_intake_forms() -> None:
    """Lock all intake forms, so that inquiries are received one at a time until the transaction ends.

    The second of two identical inquiries then finds the first.
    """
    list(IntakeForm.objects.select_for_update().order_by("pk").values_list("pk"))


def _check(values: Mapping[str, Any]) -> None:
    """Check that an inquiry has a name and a way to answer it. Raises `Invalid`."""
    wrong = {}
    if not values.get("contact_name") and not values.get("company_name"):
        wrong["contact_name"] = "Enter your name."
    if not values.get("email") and not values.get("phone"):
        wrong["email"] = "Enter an email address or a phone number, so that we can answer."
    if wrong:
        raise errors.Invalid(wrong)


def _fingerprint(values: Mapping[str, Any]) -> str:
    content = json.dumps(dict(values), sort_keys=True, default=str)
    return salted_hmac("sales.intake", content, algorithm="sha256").hexdigest()


def _find_source(form: IntakeForm, values: Mapping[str, Any]) -> LeadSource | None:
    """The active source with the name that was sent, or else the form's source."""
    name = values.get("source")
    named = LeadSource.objects.filter(name__iexact=name, is_active=True).first() if name else None
    return named or form.source


def _find_or_create_lead(values: Mapping[str, Any]) -> tuple[Lead, bool]:
    """The open lead (locked) with this email or phone, or else a new one; and whether it is new."""
    for match in duplicates.find_duplicates_of_many(None, [values])[0]:
        if {"email", "phone"} & set(match.reasons):
            (lead,) = locks.lock_leads([match.lead.pk])
            if lead.is_open and lead.archived_at is None:
                return lead, False
    return leads.create(by=None, values=values), True


def _log_inquiry(
    lead: Lead, form: IntakeForm, values: Mapping[str, Any], source: LeadSource | None, reference: str
) -> None:
    """Log the inquiry as an inbound request for a quote, and update the lead's last touch."""
    activity = activities.write_activity(
        lead=lead,
        by=None,
        activity_type=Activity.Type.QUOTE_REQUESTED,
        direction=Activity.Direction.INBOUND,
        description=f"Inquiry from {form.name}",
        notes=_inquiry_text(values, schedule.company_zone()),
        data={
            "reference": reference,
            "form": form.name,
            "email": normalization.normalize_email(values.get("email", "")),
        },
    )
    last_touch: dict[str, Any] = {}
    if any(values.get(name) for name in UTM_FIELDS):
        last_touch = {f"last_{name}": values.get(name, "") for name in UTM_FIELDS}
    if source is not None:
        last_touch["last_source"] = source
    activities.apply_to_lead(lead, activity, **last_touch)
    reason = f"Activity: {activity}"[:255]
    scores.rescore(lead_ids=[lead.pk], by=None, reason=reason, activity_id=activity.pk)


def _build_arrival(lead: Lead, form: IntakeForm, values: Mapping[str, Any], reference: str) -> arrival_alerts.Arrival:
    """The notification of an inquiry that joined a lead: its beginning, with times in the recipient's time zone."""

    def details(user: User) -> Mapping[str, Any]:
        text = _inquiry_text(values, user.zone)
        is_unowned = lead.assigned_to_id != user.pk
        return {
            "form_name": form.name,
            "said": text[:MAX_MESSAGE_LENGTH],
            "is_cut": len(text) > MAX_MESSAGE_LENGTH,
            "is_unowned": is_unowned,
        }

    return arrival_alerts.Arrival("inquiry_received", lead, f"inquiry:{reference}", details)


def _inquiry_text(values: Mapping[str, Any], zone: ZoneInfo) -> str:
    """The values of an inquiry, one per line, for a salesperson; times are in `zone`."""
    shown = {name: values[name] for name in leads.WRITABLE_FIELDS if values.get(name) not in (None, "")}
    lines = [f"{name.replace('_', ' ').capitalize()}: {_format_value(value, zone)}" for name, value in shown.items()]
    return "\n".join(lines)


def _format_value(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        return f"{format_datetime(value, zone)} {value.astimezone(zone):%Z}"
    return str(value)
