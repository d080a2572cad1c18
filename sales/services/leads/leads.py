"""Taking a lead in, changing it, closing it, putting it away. Owners change by `services.transfers` alone."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, normalization, policy
from sales.models import FieldChange, Lead, LeadSource, LostReason
from sales.services import locks
from sales.services.follow_ups import cadences, planning
from sales.services.leads import arrival_alerts, lead_status, search_index
from sales.services.ownership import assignment
from sales.services.scoring import scores

WRITABLE_FIELDS = (
    *("company_name", "contact_name", "email", "phone", "notes", "status"),
    *("trip_type", "pickup_at", "return_at", "pickup_location", "dropoff_location", "itinerary"),
    *("estimated_passengers", "vehicle_type", "vehicles_needed", "accessible_seats"),
    *("estimated_value", "quote_amount", "quote_valid_until", "bid_due_at", "booked_value", "is_repeat"),
    *("source", "campaign", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "lost_reason"),
)
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_FOREIGN = {"source": (LeadSource, "pk"), "lost_reason": (LostReason, "name")}


@transaction.atomic
def create(*, by: User | None, values: Mapping[str, Any], repeat_of: Lead | None = None) -> Lead:
    """Take a lead in. A rep's is theirs; a manager may name `assigned_to` (a user's id).

    Where nobody is named the assignment rules decide; where they don't it waits unowned, and the managers are told.
    `repeat_of` is the won trip that it was made from. `source` is a source's id, `lost_reason` a
    name of the managed list. Raises `Invalid`, `ReceiverNotAllowed`.
    """
    owner = _owner_of_new(by, values.get("assigned_to"))
    fields = _resolved({name: value for name, value in values.items() if name != "assigned_to"})
    lead = Lead(assigned_to=owner, repeat_of=repeat_of, created_by=by, **fields)
    complete_new_lead(lead, booked_before=_has_booked_before)
    lead.save()
    search_index.index_leads([lead])
    if owner is None and lead.is_open:
        assignment.assign([lead])
    scores.rescore(lead_ids=[lead.pk], by=by, reason="New lead")
    lead.refresh_from_db()
    if lead.assigned_to_id is not None or lead.is_open:
        arrival_alerts.notify_arrivals([arrival_alerts.build_new_lead_arrival(lead, by)], by=by)
    return lead


@transaction.atomic
def update(
    *, by: User | None, lead_id: int, changes: Mapping[str, Any], versions: Container[int] | None = None
) -> Lead:
    """Change a lead's fields. Each change is a `FieldChange`, a new status an activity too.

    Status `lost` needs a `lost_reason`, `won` a `booked_value` (without one, the quote amount is taken). Closing
    cancels the open follow-ups; reopening does not bring them back. Raises `NotFound`, `NotYourLead`, `Invalid`;
    `Changed` where its version is none of `versions`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    locks.require_version(lead, versions)
    if apply_changes(lead, by=by, changes=changes):
        lead.refresh_from_db()
    return lead


def apply_changes(lead: Lead, *, by: User | None, changes: Mapping[str, Any]) -> bool:
    """Change the fields of a locked lead, as `update` does, without asking whether `by` may.

    Returns whether anything changed; the database then knows more than `lead`. Raises `Invalid`.
    """
    before = {name: json_value(lead, name) for name in WRITABLE_FIELDS}
    was, was_closed = lead.status, not lead.is_open
    values = _resolved(changes)
    if values.get("status", was) != was:
        lead.lost_reason = lead.booked_value = None  # they belonged to the status that ends
    for name, value in values.items():
        setattr(lead, name, value)
    normalize_contact(lead)
    if lead.status != was:
        lead_status.stamp_stages(lead)
    # A lead that plain SQL made won may lack a booked value; other fields of it can be changed all the same.
    needs_value = lead.status != was or before["booked_value"] is not None
    if needs_value:
        take_booked_value_from_quote(lead)
    check_rules(lead, needs_value=needs_value)
    after = {name: json_value(lead, name) for name in WRITABLE_FIELDS}
    changed = sorted(name for name in WRITABLE_FIELDS if before[name] != after[name])
    if not changed:
        return False
    lead.version += 1
    lead.updated_at = timezone.now()
    lead.save()
    search_index.index_leads([lead])
    FieldChange.objects.bulk_create(
        FieldChange(lead=lead, field=name, old=before[name], new=after[name], by=by, at=lead.updated_at)
        for name in changed
        if name != "status"
    )
    if lead.status != was:
        lead_status.record_change(lead, was, by, lead.updated_at)
    if not lead.is_open and not was_closed:
        this = Lead.objects.filter(pk=lead.pk)
        planning.cancel_open(this, reason=f"Lead {lead.status}", by=by)
        cadences.end(this, reason=f"Lead {lead.status}")
        planning.refresh_next_dates(this)
    if lead.is_open:  # a closed lead keeps its score
        scores.rescore(lead_ids=[lead.pk], by=by, reason=_why(changed))
    return True


@transaction.atomic
def archive(*, by: User | None, lead_id: int, versions: Container[int] | None = None) -> None:
    """Put a lead away (managers): it is nobody's to see until it is restored, and nothing is due on it.

    Raises `NotFound`, `NotAllowed`, `Changed`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_is_manager(by)
    locks.require_version(lead, versions)
    this = Lead.objects.filter(pk=lead.pk)
    planning.cancel_open(this, reason="Lead archived", by=by)
    cadences.end(this, reason="Lead archived")
    _stamp_archived(lead, by, archived=True)
    planning.refresh_next_dates(this)


@transaction.atomic
def restore(*, by: User | None, lead_id: int) -> None:
    """Bring an archived lead back (managers). Its follow-ups stay cancelled.

    Raises `NotFound`, `NotAllowed`, and `LeadMerged` for one whose story is another lead's by now.
    """
    leads = Lead.objects.all() if by is None else Lead.objects.in_scope_of(by)
    lead = leads.select_for_update(of=("self",)).filter(pk=lead_id, archived_at__isnull=False).first()
    if lead is None:
        raise errors.NotFound("There is no such archived lead.")
    policy.check_is_manager(by)
    if lead.merged_into_id is not None:
        raise errors.LeadMerged
    _stamp_archived(lead, by, archived=False)
    scores.rescore(lead_ids=[lead.pk], by=by, reason="Restored")


def complete_new_lead(lead: Lead, *, booked_before: Callable[[Lead], bool]) -> None:
    """Work out what a new lead has beyond what was said of it. Writes nothing. Raises `Invalid`."""
    lead.last_source_id = lead.source_id
    for name in _UTM:
        setattr(lead, f"last_{name}", getattr(lead, name))
    if lead.email_normalised is None or lead.phone_normalised is None:
        normalize_contact(lead)
    lead.is_repeat = lead.is_repeat or booked_before(lead)
    lead_status.stamp_stages(lead)
    take_booked_value_from_quote(lead)
    check_rules(lead)


def _stamp_archived(lead: Lead, by: User | None, *, archived: bool) -> None:
    now = timezone.now()
    lead.archived_at = now if archived else None
    lead.version += 1
    lead.updated_at = now
    lead.save()
    FieldChange.objects.create(lead=lead, field="archived", old=not archived, new=archived, by=by, at=now)


def _owner_of_new(by: User | None, named: int | None) -> User | None:
    if named is None:
        if by is None or policy.is_manager(by):
            return None
        named = by.pk
    if by is not None and named != by.pk and not policy.is_manager(by):
        raise errors.ReceiverNotAllowed("A salesperson's new lead is their own.")
    owner = User.objects.select_for_update(no_key=True).filter(pk=named).first()  # nobody deactivates them meanwhile
    if owner is None:
        raise errors.Invalid({"assigned_to": "There is no such user."})
    if not owner.is_active:
        raise errors.Invalid({"assigned_to": "This user is not active."})
    return owner


def _resolved(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the model takes them: names are checked, keys become rows. Raises `Invalid`."""
    wrong = dict.fromkeys(sorted(set(values) - set(WRITABLE_FIELDS)), "This can't be changed.")
    fields = dict(values)
    for name, (model, key) in _FOREIGN.items():
        if fields.get(name) is not None and not isinstance(fields[name], model):
            fields[name] = model._default_manager.filter(**{key: fields[name]}).first()
            if fields[name] is None:
                wrong[name] = "There is no such choice."
    if wrong:
        raise errors.Invalid(wrong)
    return fields


def normalize_contact(lead: Lead) -> None:
    lead.email_normalised = normalization.normalize_email(lead.email)
    lead.phone_normalised = normalization.normalize_phone(lead.phone)


def _has_booked_before(lead: Lead) -> bool:
    same = Q()
    if lead.email_normalised:
        same |= Q(email_normalised=lead.email_normalised)
    if lead.phone_normalised:
        same |= Q(phone_normalised=lead.phone_normalised)
    return bool(same) and Lead.objects.filter(same, status=Lead.Status.WON).exists()


@dataclass(frozen=True)
class RuleFields:
    """What is said of a lead in the fields between which rules hold."""

    company_name: str = ""
    contact_name: str = ""
    status: str = Lead.Status.NEW
    pickup_at: datetime | None = None
    return_at: datetime | None = None
    lost_reason_id: str | None = None
    booked_value: Decimal | None = None
    quote_amount: Decimal | None = None


def take_booked_value_from_quote(lead: Lead) -> None:
    """A won lead without a booked value was booked for what was quoted. Saves nothing."""
    if lead.status == Lead.Status.WON and lead.booked_value is None:
        lead.booked_value = lead.quote_amount


def check_rules(lead: Lead | RuleFields, *, needs_value: bool = True) -> None:
    """The rules that hold between fields. Raises `Invalid`.

    A won lead has a booked value or a quote amount (see `take_quote`), unless it need not (`needs_value`). Zero is a
    value: a trip that was given away.
    """
    wrong = {}
    if not lead.company_name and not lead.contact_name:
        wrong["company_name"] = "Give the company's name or the contact's."
    if lead.pickup_at and lead.return_at and lead.return_at < lead.pickup_at:
        wrong["return_at"] = "The return is before the pickup."
    if lead.status == Lead.Status.LOST and lead.lost_reason_id is None:
        wrong["lost_reason"] = "Say why the lead is lost."
    if lead.status != Lead.Status.LOST and lead.lost_reason_id is not None:
        wrong["lost_reason"] = "Only a lost lead has a reason for it."
    if needs_value and lead.status == Lead.Status.WON and lead.booked_value is None and lead.quote_amount is None:
        wrong["booked_value"] = "Say for how much it was booked: a won lead counts as revenue."
    if lead.status != Lead.Status.WON and lead.booked_value is not None:
        wrong["booked_value"] = "Only a won lead has a booked value."
    if wrong:
        raise errors.Invalid(wrong)


def json_value(lead: Lead, name: str) -> Any:
    """A field's value as JSON can hold it (a key for a row, text for a time, a number for money)."""
    value = getattr(lead, f"{name}_id" if name in _FOREIGN else name)
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _why(changed: list[str]) -> str:
    names = ", ".join(name.replace("_", " ") for name in changed)
    return f"Changed: {names}"[:255]
