"""Finds personal data: which tables and columns can hold it, and which rows are about a person.

Tables are read from the models. Every text column counts as personal data unless `WITHOUT_PERSONAL_DATA` lists it; a
test demands this decision for each new column. The rows of a lead are found by their foreign key `lead`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import phonenumbers
from django.apps import apps
from django.db.models import Field, Model, Q, QuerySet

from athena import host_names
from athena.db.text_search import Mentions, list_text_columns
from sales import normalization
from sales.models import Activity, ImportRow, Lead
from sales.models.leads.lead import UTM_FIELDS, LeadQuerySet

ALL_COLUMNS = frozenset({"*"})

# Columns without personal data of clients: users, names of things, technical text, hashes, and what other code erases.
WITHOUT_PERSONAL_DATA: dict[str, frozenset[str]] = {
    "accounts.FailedLogin": ALL_COLUMNS,  # a keyed hash, and the network address of who tried to sign in
    "accounts.LoginSession": ALL_COLUMNS,
    "accounts.Team": ALL_COLUMNS,
    "accounts.User": ALL_COLUMNS,  # people who work here; they are deactivated
    "athena.Heartbeat": ALL_COLUMNS,
    "athena.IdempotencyKey": frozenset({"key", "fingerprint"}),
    "athena.TaskTotal": ALL_COLUMNS,
    "athena.ThrottleCount": ALL_COLUMNS,
    "admin.LogEntry": frozenset({"object_id"}),
    "auth.Group": ALL_COLUMNS,
    "auth.Permission": ALL_COLUMNS,
    "auth.User": ALL_COLUMNS,
    "contenttypes.ContentType": ALL_COLUMNS,
    "sessions.Session": ALL_COLUMNS,  # of people who work here
    "notifications.Delivery": frozenset({"channel"}),
    "notifications.Notification": ALL_COLUMNS,  # erased by `notifications.privacy`
    "notifications.Preference": ALL_COLUMNS,
    "sales.AssignmentRule": ALL_COLUMNS,
    "sales.Cadence": ALL_COLUMNS,
    "sales.CadenceStep": ALL_COLUMNS,
    "sales.FieldChange": frozenset({"field"}),
    "sales.ImportRow": ALL_COLUMNS,  # erased by `services.privacy`
    "sales.Inquiry": ALL_COLUMNS,  # a reference, and a hash of the inquiry
    "sales.IntakeForm": ALL_COLUMNS,
    "sales.LeadImport": frozenset({"columns"}),
    "sales.LeadScoringRule": ALL_COLUMNS,
    "sales.LeadSource": ALL_COLUMNS,
    "sales.LostReason": ALL_COLUMNS,
    "sales.PrivacyRequest": ALL_COLUMNS,
    "sales.ScoringRun": ALL_COLUMNS,
    "sales.SourceSpend": ALL_COLUMNS,
    "sales.Turn": ALL_COLUMNS,
    **{
        f"django_celery_beat.{name}": ALL_COLUMNS
        for name in ("PeriodicTask", "CrontabSchedule", "SolarSchedule", "ClockedSchedule", "IntervalSchedule")
    },
}

# Text columns that are kept when a person's leads are erased, for the reports by source and campaign. Mentions of the
# person in them are still replaced.
KEPT_COLUMNS = {
    "sales.Lead": {"campaign", *UTM_FIELDS, *(f"last_{name}" for name in UTM_FIELDS)},
    "sales.CadenceEnrolment": {"stop_reason"},
}

# Who another lead is about: kept in that lead, even if that person shares a name or number with the erased one.
IDENTITY_COLUMNS = {
    "sales.Lead": ("company_name", "contact_name", "email", "email_normalised", "phone", "phone_normalised"),
    "sales.LeadSearch": ("text", "company", "company_day", "trip"),
}

# Field changes that are kept when a person's leads are erased, because reports use them. All others are emptied: those
# of typed text, of other rows ("activity", "follow_up", "merged"), and of fields that come later.
KEPT_CHANGES = frozenset({
    *("status", "lost_reason", "is_repeat", "archived", "cadence", "import", "source", "campaign"),
    *("trip_type", "pickup_at", "return_at", "estimated_passengers", "vehicle_type", "vehicles_needed"),
    *("accessible_seats", "estimated_value", "quote_amount", "quote_valid_until", "bid_due_at", "booked_value"),
    *UTM_FIELDS,
})  # fmt: skip
# Fields that a kept lead may have got from a duplicate when they were merged.
MERGE_FILLED_FIELDS = ("contact_name", "phone", "notes", "itinerary", "pickup_location", "dropoff_location")
IMPORT_ROW_COLUMNS = (
    "cells",
    "values",
    "problems",
    "cleaned",
    "changes",
)  # the columns of `ImportRow` with the content of the file
MIN_NAME_LENGTH = 4  # characters; shorter names are not searched for in other text
MIN_NUMBER_LENGTH = 7  # digits; shorter phone numbers are not searched for


def list_searched_columns() -> Iterator[tuple[type[Model], list[str]]]:
    """Each model with the columns in which a person may be mentioned."""
    for model in apps.get_models():
        free = WITHOUT_PERSONAL_DATA.get(model._meta.label, frozenset())
        columns = [name for name in list_text_columns(model) if name not in free]
        if columns and free != ALL_COLUMNS:
            yield model, columns


def list_lead_columns() -> Iterator[tuple[type[Model], str, list[str]]]:
    """Each model whose rows belong to a lead, the name of that foreign key, and the columns to empty."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model is Lead and field.name == "lead":
                kept = WITHOUT_PERSONAL_DATA.get(model._meta.label, frozenset()) | KEPT_COLUMNS.get(
                    model._meta.label, set()
                )
                yield (
                    model,
                    field.name,
                    [] if kept >= ALL_COLUMNS else [n for n in list_text_columns(model) if n not in kept],
                )


def get_empty_value(model: type[Model], name: str) -> Any:
    """The empty value of a column: NULL, the default of a JSON column, or no text."""
    field: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    if field.null:
        return None
    return field.get_default() if field.get_internal_type() == "JSONField" else ""


def find_leads(address: str) -> list[Lead]:
    """The leads with this (normalized) address, including archived ones and duplicates merged into them.

    A duplicate with another address is somebody else's.
    """
    own = Lead.objects.filter(Q(email_normalised=address) | Q(email__iexact=address)).order_by().values("pk")
    merged = Q(merged_into__in=own) & Q(email="")
    return list(Lead.objects.filter(Q(pk__in=own) | merged).order_by("pk"))


def find_import_rows(address: str, leads: Iterable[Lead]) -> "QuerySet[Any, Any]":
    """The import rows of a person: those with their address or one of their leads.

    A row without any address and without the number of a lead is theirs if it has their phone number or, without any
    phone number, their name.
    """
    leads = list(leads)
    keys = [lead.pk for lead in leads if lead.pk]
    by_address = build_address_mentions(address).find_rows(ImportRow, IMPORT_ROW_COLUMNS)
    without_address = ImportRow.objects.filter(email_normalised="", lead_number=None).exclude(cells__icontains="@")
    by_number = Mentions(numbers=_own_numbers(leads)).find_rows(ImportRow, IMPORT_ROW_COLUMNS)
    by_name = (
        Mentions(names=_own_names(leads, "contact_name"))
        .find_rows(ImportRow, IMPORT_ROW_COLUMNS)
        .filter(phone_normalised="")
    )
    matching = without_address.filter(Q(pk__in=by_number.values("pk")) | Q(pk__in=by_name.values("pk")))
    return ImportRow.objects.filter(
        Q(email_normalised=address)
        | Q(lead__in=keys)
        | Q(same_as__in=keys, email_normalised="")  # a row with another address is somebody else's
        | Q(pk__in=by_address.filter(email_normalised="", lead_number=None).values("pk"))
        | Q(pk__in=matching.values("pk"))
    )


@dataclass(frozen=True)
class Inquiries:
    """The inquiries that concern a person.

    `elsewhere`: ids of activities by the person in other people's leads. `of_others`: ids of activities by other people
    in the person's leads. `as_leads`: unsaved leads with the names and numbers that the person gave in `elsewhere`.
    """

    elsewhere: list[int]
    of_others: list[int]
    as_leads: list[Lead]


def find_inquiries(address: str, leads: Iterable[Lead]) -> Inquiries:
    """Find the person's inquiries in other leads, and other people's inquiries in the person's leads.

    (An inquiry joins the open lead with the same email or phone.) An inbound activity in another lead that contains the
    address counts as the person's, unless it names another author.
    """
    keys = [lead.pk for lead in leads]
    inbound = Activity.objects.filter(direction=Activity.Direction.INBOUND)
    named = build_address_mentions(address).find_rows(Activity, ("description", "notes", "data")).values("pk")
    elsewhere = list(inbound.exclude(lead__in=keys).filter(pk__in=named).order_by("pk"))
    own = [activity for activity in elsewhere if _get_author(activity) in ("", address)]
    others = [activity.pk for activity in inbound.filter(lead__in=keys) if _get_author(activity) not in ("", address)]
    as_leads = [
        Lead(
            company_name=_get_line(activity, "Company name"),
            contact_name=_get_line(activity, "Contact name"),
            phone=_get_line(activity, "Phone"),
            phone_normalised=normalization.normalize_phone(_get_line(activity, "Phone")),
        )
        for activity in own
    ]
    return Inquiries([activity.pk for activity in own], others, as_leads)


def _get_author(activity: Activity) -> str:
    """The normalized address of the author of an inquiry; empty if there is none."""
    if "email" in activity.data and "reference" in activity.data:
        return str(activity.data["email"])
    return normalization.normalize_email(_get_line(activity, "Email"))  # older inquiries have it only in the notes


def _get_line(activity: Activity, label: str) -> str:
    """The value under a label in an inquiry. `services.leads.intake` writes these lines above the author's notes."""
    if "reference" not in activity.data:
        return ""
    match = re.search(rf"^{label}: (.+)$", activity.notes.partition("\nNotes: ")[0], re.MULTILINE)
    return match[1].strip() if match else ""


def build_address_mentions(address: str) -> Mentions:
    """The patterns that find the address in text, however it is spelled."""
    return Mentions(_list_spellings(address))


def _list_spellings(address: str) -> set[str]:
    """Patterns for the address as people and URLs write it."""
    addresses = {address, _to_ascii(address)}
    plain = {re.escape(text.replace("@", at)) for text in addresses for at in ("@", "%40", "(at)", " at ")}
    return plain | {re.escape(quote(text, safe="")) for text in addresses}


def _to_ascii(address: str) -> str:
    """The address as emails carry it, with its host in ASCII."""
    try:
        return host_names.ascii_address(address)
    except ValueError:
        return address


def build_mentions(address: str, leads: Iterable[Lead]) -> Mentions:
    """The patterns for the address, and for the names and numbers that only these leads have."""
    leads = list(leads)
    names = _own_names(leads, "company_name") | _own_names(leads, "contact_name")
    return Mentions(_list_spellings(address), names, _own_numbers(leads))


def _own_names(leads: list[Lead], column: str) -> set[str]:
    """Patterns for the names in `column` that no other lead has."""
    others = _others(leads)
    names = {getattr(lead, column) for lead in leads}
    return {
        re.escape(name)
        for name in names
        if len(name) >= MIN_NAME_LENGTH and not others.filter(**{f"{column}__iexact": name}).exists()
    }


def _own_numbers(leads: list[Lead]) -> set[str]:
    """Patterns for the phone numbers that no other lead has."""
    others = _others(leads)
    numbers = set()
    for lead in leads:
        normalised = lead.phone_normalised
        if normalised and not others.filter(phone_normalised=normalised).exists():
            numbers |= {_build_number_pattern(normalised), re.escape(lead.phone)}
            continue
        is_long = not normalised and len(normalization.extract_digits(lead.phone)) >= MIN_NUMBER_LENGTH
        if is_long and not others.filter(phone=lead.phone).exists():
            numbers.add(re.escape(lead.phone))
    return numbers


def _others(leads: list[Lead]) -> LeadQuerySet:
    return Lead.objects.exclude(pk__in=[lead.pk for lead in leads if lead.pk])


def _build_number_pattern(normalised: str) -> str:
    """A pattern for the number with any punctuation, with or without the country code."""
    parsed = phonenumbers.parse(normalised)
    between = r"[ ().\-/]*"
    digits = between.join(phonenumbers.national_significant_number(parsed))
    return rf"(?:(?:[+]|00|011)?{between}{between.join(str(parsed.country_code))}{between})?{digits}"
