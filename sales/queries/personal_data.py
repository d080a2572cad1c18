"""Where personal data is kept: read from the models, so that a new table is not forgotten.

Each column in which any text can stand is dealt with, unless it is declared here to be free of it; a test asks for that
decision about each new column. What belongs to a lead is found by its foreign key.
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
from sales.models.lead import LeadQuerySet

ALL = frozenset({"*"})

# Free of it: who works here, what things are called, words of machines, hashes, and what is dealt with elsewhere.
FREE: dict[str, frozenset[str]] = {
    "accounts.FailedLogin": ALL,  # a keyed hash and an address of whoever tried to log in
    "accounts.LoginSession": ALL,
    "accounts.Team": ALL,
    "accounts.User": ALL,  # who works here; they are deactivated
    "athena.Heartbeat": ALL,
    "athena.IdempotencyKey": frozenset({"key", "fingerprint"}),
    "athena.TaskTotal": ALL,
    "athena.ThrottleCount": ALL,
    "admin.LogEntry": frozenset({"object_id"}),
    "auth.Group": ALL,
    "auth.Permission": ALL,
    "auth.User": ALL,
    "contenttypes.ContentType": ALL,
    "sessions.Session": ALL,  # of those who work here
    "notifications.Delivery": frozenset({"channel"}),
    "notifications.Notification": ALL,  # by `notifications.privacy`
    "notifications.Preference": ALL,
    "sales.AssignmentRule": ALL,
    "sales.Cadence": ALL,
    "sales.CadenceStep": ALL,
    "sales.FieldChange": frozenset({"field"}),
    "sales.ImportRow": ALL,  # by `services.privacy`
    "sales.Inquiry": ALL,  # a reference, and a hash of what was sent
    "sales.IntakeForm": ALL,
    "sales.LeadImport": frozenset({"columns"}),
    "sales.LeadScoringRule": ALL,
    "sales.LeadSource": ALL,
    "sales.LostReason": ALL,
    "sales.PrivacyRequest": ALL,
    "sales.ScoringRun": ALL,
    "sales.SourceSpend": ALL,
    "sales.Turn": ALL,
    **{
        f"django_celery_beat.{name}": ALL
        for name in ("PeriodicTask", "CrontabSchedule", "SolarSchedule", "ClockedSchedule", "IntervalSchedule")
    },
}

# Of what belongs to the person's leads, everything is emptied but this: figures by source and campaign stay true. Words
# that name the person are taken out of it, too.
_UTM = ("source", "medium", "campaign", "term", "content")
FIGURES = {
    "sales.Lead": {"campaign", *(f"{touch}utm_{name}" for touch in ("", "last_") for name in _UTM)},
    "sales.CadenceEnrolment": {"stop_reason"},
}

# Whoever has another lead keeps their own name and number there, even where they share one with the person.
OWN = {
    "sales.Lead": ("company_name", "contact_name", "email", "email_normalised", "phone", "phone_normalised"),
    "sales.LeadSearch": ("text", "company", "company_day", "trip"),
}

# Changes of these fields of a person's leads are figures, and stay. All others are emptied: those of what people typed,
# of other rows ("activity", "follow_up", "merged"), and of whatever comes later.
KEPT_CHANGES = frozenset({
    *("status", "lost_reason", "is_repeat", "archived", "cadence", "import", "source", "campaign"),
    *("trip_type", "pickup_at", "return_at", "estimated_passengers", "vehicle_type", "vehicles_needed"),
    *("accessible_seats", "estimated_value", "quote_amount", "quote_valid_until", "bid_due_at", "booked_value"),
    *(f"utm_{name}" for name in _UTM),
})  # fmt: skip
# What the lead that a person's was merged into may have taken from it.
FILLED = ("contact_name", "phone", "notes", "itinerary", "pickup_location", "dropoff_location")
ROW = ("cells", "values", "problems", "cleaned", "changes")  # of `ImportRow`, what a row of a file says
SHORTEST = 4  # characters of a name that is looked for in other people's text
SHORTEST_NUMBER = 7  # digits of a telephone number that is


def searched() -> Iterator[tuple[type[Model], list[str]]]:
    """Each table with the columns in which the person may be mentioned."""
    for model in apps.get_models():
        free = FREE.get(model._meta.label, frozenset())
        columns = [name for name in list_text_columns(model) if name not in free]
        if columns and free != ALL:
            yield model, columns


def of_leads() -> Iterator[tuple[type[Model], str, list[str]]]:
    """Each table whose rows belong to a lead, the key to it, and the columns that say something of it."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model is Lead and field.name == "lead":
                kept = FREE.get(model._meta.label, frozenset()) | FIGURES.get(model._meta.label, set())
                yield model, field.name, [] if kept >= ALL else [n for n in list_text_columns(model) if n not in kept]


def emptied(model: type[Model], name: str) -> Any:
    """What a column holds that says nothing."""
    field: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    if field.null:
        return None
    return field.get_default() if field.get_internal_type() == "JSONField" else ""


def leads_of(address: str) -> list[Lead]:
    """The leads of this (normalised) address, archived ones included, and those merged into them that name no other
    address: whoever has another one is somebody else."""
    theirs = Lead.objects.filter(Q(email_normalised=address) | Q(email__iexact=address)).order_by().values("pk")
    merged = Q(merged_into__in=theirs) & Q(email="")
    return list(Lead.objects.filter(Q(pk__in=theirs) | merged).order_by("pk"))


def import_rows_of(address: str, leads: Iterable[Lead]) -> "QuerySet[Any, Any]":
    """Rows of files that are the person's: by their address, by one of these leads, or, where the row has no address
    and does not name another lead, by their number or, without any number, by their name."""
    leads = list(leads)
    keys = [lead.pk for lead in leads if lead.pk]
    by_address = mentions_of_address(address).find_rows(ImportRow, ROW)
    nameless = ImportRow.objects.filter(email_normalised="", lead_number=None).exclude(cells__icontains="@")
    by_number = Mentions(numbers=_own_numbers(leads)).find_rows(ImportRow, ROW)
    by_name = Mentions(names=_own_names(leads, "contact_name")).find_rows(ImportRow, ROW).filter(phone_normalised="")
    alike = nameless.filter(Q(pk__in=by_number.values("pk")) | Q(pk__in=by_name.values("pk")))
    return ImportRow.objects.filter(
        Q(email_normalised=address)
        | Q(lead__in=keys)
        | Q(same_as__in=keys, email_normalised="")  # who has another address is somebody else
        | Q(pk__in=by_address.filter(email_normalised="", lead_number=None).values("pk"))
        | Q(pk__in=alike.values("pk"))
    )


@dataclass(frozen=True)
class Inquiries:
    """Keys of activities. `elsewhere`: what the person wrote to us that stands in other people's leads. `of_others`:
    what other people wrote that stands in the person's leads. `as_leads`: who the person says to be in them."""

    elsewhere: list[int]
    of_others: list[int]
    as_leads: list[Lead]


def inquiries_of(address: str, leads: Iterable[Lead]) -> Inquiries:
    """The person's and other people's inquiries, which join the open lead of whoever has the same e-mail or phone.

    Anything inbound in another's lead that names the address counts as the person's, unless it names its author.
    """
    keys = [lead.pk for lead in leads]
    inbound = Activity.objects.filter(direction=Activity.Direction.INBOUND)
    named = mentions_of_address(address).find_rows(Activity, ("description", "notes", "data")).values("pk")
    there = list(inbound.exclude(lead__in=keys).filter(pk__in=named).order_by("pk"))
    theirs = [activity for activity in there if _author(activity) in ("", address)]
    others = [activity.pk for activity in inbound.filter(lead__in=keys) if _author(activity) not in ("", address)]
    as_leads = [
        Lead(
            company_name=_line(activity, "Company name"),
            contact_name=_line(activity, "Contact name"),
            phone=_line(activity, "Phone"),
            phone_normalised=normalization.phone(_line(activity, "Phone")),
        )
        for activity in theirs
    ]
    return Inquiries([activity.pk for activity in theirs], others, as_leads)


def _author(activity: Activity) -> str:
    """The normalised address that whoever wrote an inquiry gave; empty where there is none."""
    if "email" in activity.data and "reference" in activity.data:
        return str(activity.data["email"])
    return normalization.email(_line(activity, "Email"))  # of an inquiry from before `data` had it


def _line(activity: Activity, label: str) -> str:
    """What an inquiry says under this label: a line that `services.intake` writes, above what its author wrote."""
    if "reference" not in activity.data:
        return ""
    found = re.search(rf"^{label}: (.+)$", activity.notes.partition("\nNotes: ")[0], re.MULTILINE)
    return found[1].strip() if found else ""


def mentions_of_address(address: str) -> Mentions:
    return Mentions(_spellings(address))


def _spellings(address: str) -> set[str]:
    spellings = {address, _as_sent(address)}
    return {re.escape(each.replace("@", at)) for each in spellings for at in ("@", "%40", "(at)", " at ")} | {
        re.escape(quote(each, safe="")) for each in spellings
    }


def _as_sent(address: str) -> str:
    """The address as e-mails carry it: its host in ASCII."""
    try:
        return host_names.ascii_address(address)
    except ValueError:
        return address


def mentions_of(address: str, leads: Iterable[Lead]) -> Mentions:
    """The address, and the names and numbers of these leads that nobody else's lead has."""
    leads = list(leads)
    names = _own_names(leads, "company_name") | _own_names(leads, "contact_name")
    return Mentions(_spellings(address), names, _own_numbers(leads))


def _own_names(leads: list[Lead], column: str) -> set[str]:
    others = _others(leads)
    names = {getattr(lead, column) for lead in leads}
    return {
        re.escape(name)
        for name in names
        if len(name) >= SHORTEST and not others.filter(**{f"{column}__iexact": name}).exists()
    }


def _own_numbers(leads: list[Lead]) -> set[str]:
    others = _others(leads)
    numbers = set()
    for lead in leads:
        normalised = lead.phone_normalised
        if normalised and not others.filter(phone_normalised=normalised).exists():
            numbers |= {_number(normalised), re.escape(lead.phone)}
            continue
        is_long = not normalised and len(normalization.digits(lead.phone)) >= SHORTEST_NUMBER
        if is_long and not others.filter(phone=lead.phone).exists():
            numbers.add(re.escape(lead.phone))
    return numbers


def _others(leads: list[Lead]) -> LeadQuerySet:
    return Lead.objects.exclude(pk__in=[lead.pk for lead in leads if lead.pk])


def _number(normalised: str) -> str:
    """The number with whatever between its digits, with or without its country's."""
    parsed = phonenumbers.parse(normalised)
    between = r"[ ().\-/]*"
    digits = between.join(phonenumbers.national_significant_number(parsed))
    return rf"(?:(?:[+]|00|011)?{between}{between.join(str(parsed.country_code))}{between})?{digits}"
