"""Inquiries that come in by themselves: none is lost, and none becomes two leads."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from athena.accounts.models import User
from sales import errors, normalization, schedule
from sales.models import Activity, Inquiry, IntakeForm, Lead, LeadSource
from sales.queries.leads import duplicates
from sales.services import activities, locks
from sales.services.leads import arrival_alerts, leads
from sales.services.scoring import scores

MAX_MESSAGE_LENGTH = 1_000  # characters of an inquiry that its message holds
RESEND_WINDOW = timedelta(hours=24)  # the same words within this time are the same inquiry, sent again
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # to be read out on the phone
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


@transaction.atomic
def receive_inquiry(*, form: IntakeForm, values: Mapping[str, Any]) -> str:
    """Take an inquiry in; its reference, by which people may ask for it.

    Somebody whose e-mail or phone an open lead has already joins that lead as an inbound activity, which says all that
    they wrote; the lead's last touch moves, and its owner is told, or the managers where nobody owns it. Anybody else
    is a new lead. What was sent before in the same words gets its first reference again. `values` are a lead's, with
    `source` by its name. Raises `Invalid`.
    """
    _check(values)
    lock_intake_forms()
    fingerprint = _fingerprint(values)
    again = Inquiry.objects.filter(
        form=form, fingerprint=fingerprint, received_at__gte=timezone.now() - RESEND_WINDOW
    ).first()
    if again is not None:
        return str(again.reference)
    source = _source(form, values)
    lead, is_new = _lead_for({**values, "source": source.pk if source else None})
    reference = make_reference()
    _log(lead, form, values, source, reference)
    Inquiry.objects.create(form=form, lead=lead, reference=reference, fingerprint=fingerprint)
    if not is_new:
        arrival_alerts.notify_arrivals([_joined(lead, form, values, reference)], by=None)
    return reference


def make_reference() -> str:
    """A reference, to nothing as yet: whoever is not to know that they were not heard gets one, too."""
    return get_random_string(8, _ALPHABET)


def lock_intake_forms() -> None:
    """Until the transaction ends nobody else takes an inquiry in: what two say at once, the second finds said."""
    list(IntakeForm.objects.select_for_update().order_by("pk").values_list("pk"))


def _check(values: Mapping[str, Any]) -> None:
    wrong = {}
    if not values.get("contact_name") and not values.get("company_name"):
        wrong["contact_name"] = "Tell us your name."
    if not values.get("email") and not values.get("phone"):
        wrong["email"] = "Give an e-mail address or a phone number, so that we can answer."
    if wrong:
        raise errors.Invalid(wrong)


def _fingerprint(values: Mapping[str, Any]) -> str:
    said = json.dumps(dict(values), sort_keys=True, default=str)
    return salted_hmac("sales.intake", said, algorithm="sha256").hexdigest()


def _source(form: IntakeForm, values: Mapping[str, Any]) -> LeadSource | None:
    """The source that is named, if there is an active one of that name, or else the form's."""
    name = values.get("source")
    named = LeadSource.objects.filter(name__iexact=name, is_active=True).first() if name else None
    return named or form.source


def _lead_for(values: Mapping[str, Any]) -> tuple[Lead, bool]:
    """The open lead (locked) with this e-mail or phone, or else a new one; and whether it is new."""
    for match in duplicates.find_duplicates_of_many(None, [values])[0]:
        if {"email", "phone"} & set(match.reasons):
            (lead,) = locks.lock_leads([match.lead.pk])
            if lead.is_open and lead.archived_at is None:
                return lead, False
    return leads.create(by=None, values=values), True


def _log(lead: Lead, form: IntakeForm, values: Mapping[str, Any], source: LeadSource | None, reference: str) -> None:
    """An inbound request for a quote that says it all, and the lead's last touch."""
    activity = activities.write_activity(
        lead=lead,
        by=None,
        activity_type=Activity.Type.QUOTE_REQUESTED,
        direction=Activity.Direction.INBOUND,
        description=f"Inquiry by {form.name}",
        notes=_inquiry_text(values, schedule.company_zone()),
        data={
            "reference": reference,
            "form": form.name,
            "email": normalization.normalize_email(values.get("email", "")),
        },
    )
    touch: dict[str, Any] = {f"last_{name}": values.get(name, "") for name in _UTM} if _is_attributed(values) else {}
    if source is not None:
        touch["last_source"] = source
    activities.apply_to_lead(lead, activity, **touch)
    reason = f"Activity: {activity}"[:255]
    scores.rescore(lead_ids=[lead.pk], by=None, reason=reason, activity_id=activity.pk)


def _joined(lead: Lead, form: IntakeForm, values: Mapping[str, Any], reference: str) -> arrival_alerts.Arrival:
    """What is told of an inquiry that joined a lead: the beginning of it, its times on the reader's clock."""

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


def _is_attributed(values: Mapping[str, Any]) -> bool:
    return any(values.get(name) for name in _UTM)


def _inquiry_text(values: Mapping[str, Any], zone: ZoneInfo) -> str:
    """What they wrote, a line each, as a salesperson reads it; times on the clock of `zone`."""
    shown = {name: values[name] for name in leads.WRITABLE_FIELDS if values.get(name) not in (None, "")}
    lines = [f"{name.replace('_', ' ').capitalize()}: {_plain(value, zone)}" for name, value in shown.items()]
    return "\n".join(lines)


def _plain(value: Any, zone: ZoneInfo) -> str:
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M %Z}" if isinstance(value, datetime) else str(value)
