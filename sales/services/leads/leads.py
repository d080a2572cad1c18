"""Creates, changes, closes, archives and restores leads. Only `services.ownership` changes the owner of a lead."""

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
from sales.models.leads.activity import to_json_value
from sales.models.leads.lead import UTM_FIELDS
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
    *("source", "campaign", *UTM_FIELDS, "lost_reason"),
)
_FOREIGN = {"source": (LeadSource, "pk"), "lost_reason": (LostReason, "name")}


@transaction.atomic
def create(*, by: User | None, values: Mapping[str, Any], repeat_of: Lead | None = None) -> Lead:
    """Create a lead from `values`: fields by name, with the id of a `source` and the name of a `lost_reason`.

    A salesperson becomes the owner of their new lead. A manager may name an owner (`assigned_to`, the id of a user);
    otherwise the assignment rules choose one. If no rule matches, the lead stays unassigned and the managers are
    notified. `repeat_of` is the won trip that the lead repeats. Raises `Invalid`, `ReceiverNotAllowed`.
    """
    owner = _choose_owner(by, values.get("assigned_to"))
    fields = _resolve_values({name: value for name, value in values.items() if name != "assigned_to"})
    lead = Lead(assigned_to=owner, repeat_of=repeat_of, created_by=by, **fields)
    complete_new_lead(lead, booked_before=_has_booked_before)
    lead.save()
    search_index.index_leads([lead])
    if owner is None and lead.is_open:
        assignment.assign_new_leads([lead])
    scores.rescore(lead_ids=[lead.pk], by=by, reason="New lead")
    lead.refresh_from_db()
    if lead.assigned_to_id is not None or lead.is_open:
        arrival_alerts.notify_arrivals([arrival_alerts.build_new_lead_arrival(lead, by)], by=by)
    return lead


@transaction.atomic
def update(
    *, by: User | None, lead_id: int, changes: Mapping[str, Any], versions: Container[int] | None = None
) -> Lead:
    """Change fields of a lead. Each change becomes a `FieldChange`; a new status becomes an activity, too.

    Status `lost` needs a `lost_reason`, `won` a `booked_value` (by default the quote amount). Closing a lead cancels
    its open follow-ups; reopening does not restore them. Raises `NotFound`, `NotYourLead`, `Invalid`; `StaleVersion`
    if the lead's version is not in `versions`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    locks.require_version(lead, versions)
    if apply_changes(lead, by=by, changes=changes):
        lead.refresh_from_db()
    return lead


def apply_changes(lead: Lead, *, by: User | None, changes: Mapping[str, Any]) -> bool:
    """Change fields of a locked lead as `update` does, without checking that `by` may.

    Returns whether anything changed. If so, the row has columns that `lead` lacks: refresh it. Raises `Invalid`.
    """
    before = {name: json_value(lead, name) for name in WRITABLE_FIELDS}
    old_status, was_open = lead.status, lead.is_open
    values = _resolve_values(changes)
    if values.get("status", old_status) != old_status:
        lead.lost_reason = lead.booked_value = None  # they belong to the old status
    for name, value in values.items():
        setattr(lead, name, value)
    normalize_contact(lead)
    if lead.status != old_status:
        lead_status.stamp_stages(lead)
    # A lead won by plain SQL may lack a booked value. Its other fields can still be changed.
    needs_value = lead.status != old_status or before["booked_value"] is not None
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
    if lead.status != old_status:
        lead_status.record_change(lead, old_status, by, lead.updated_at)
    if was_open and not lead.is_open:
        closed_lead = Lead.objects.filter(pk=lead.pk)
        planning.cancel_open_follow_ups(closed_lead, reason=f"Lead {lead.status}", by=by)
        cadences.stop_for_leads(closed_lead, reason=f"Lead {lead.status}")
        planning.refresh_next_dates(closed_lead)
    if lead.is_open:  # a closed lead keeps its score
        scores.rescore(lead_ids=[lead.pk], by=by, reason=_describe_changes(changed))
    return True


@transaction.atomic
def archive(*, by: User | None, lead_id: int, versions: Container[int] | None = None) -> None:
    """Archive a lead (managers): nobody sees it until it is restored, and its open follow-ups are canceled.

    Raises `NotFound`, `NotAllowed`, `StaleVersion`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_is_manager(by)
    locks.require_version(lead, versions)
    archived_lead = Lead.objects.filter(pk=lead.pk)
    planning.cancel_open_follow_ups(archived_lead, reason="Lead archived", by=by)
    cadences.stop_for_leads(archived_lead, reason="Lead archived")
    _set_archived(lead, by, is_archived=True)
    planning.refresh_next_dates(archived_lead)


@transaction.atomic
def restore(*, by: User | None, lead_id: int) -> None:
    """Restore an archived lead (managers). Its follow-ups stay canceled.

    Raises `NotFound`, `NotAllowed`, and `LeadMerged` for a lead that was merged into another one.
    """
    leads = Lead.objects.all() if by is None else Lead.objects.in_scope_of(by)
    lead = leads.select_for_update(of=("self",)).filter(pk=lead_id, archived_at__isnull=False).first()
    if lead is None:
        raise errors.NotFound("There is no such archived lead.")
    policy.check_is_manager(by)
    if lead.merged_into_id is not None:
        raise errors.LeadMerged
    _set_archived(lead, by, is_archived=False)
    scores.rescore(lead_ids=[lead.pk], by=by, reason="Restored")


def complete_new_lead(lead: Lead, *, booked_before: Callable[[Lead], bool]) -> None:
    """Set the derived columns of a new lead and check its rules, without saving it. Raises `Invalid`."""
    lead.last_source_id = lead.source_id
    for name in UTM_FIELDS:
        setattr(lead, f"last_{name}", getattr(lead, name))
    if lead.email_normalised is None or lead.phone_normalised is None:
        normalize_contact(lead)
    lead.is_repeat = lead.is_repeat or booked_before(lead)
    lead_status.stamp_stages(lead)
    take_booked_value_from_quote(lead)
    check_rules(lead)


def _set_archived(lead: Lead, by: User | None, *, is_archived: bool) -> None:
    now = timezone.now()
    lead.archived_at = now if is_archived else None
    lead.version += 1
    lead.updated_at = now
    lead.save()
    FieldChange.objects.create(lead=lead, field="archived", old=not is_archived, new=is_archived, by=by, at=now)


def _choose_owner(by: User | None, owner_id: int | None) -> User | None:
    """Lock and return the owner of a new lead: the one named, or a salesperson themselves. Raises `Invalid`."""
    if owner_id is None:
        if by is None or policy.is_manager(by):
            return None
        owner_id = by.pk
    if by is not None and owner_id != by.pk and not policy.is_manager(by):
        raise errors.ReceiverNotAllowed("A salesperson may create leads only for themselves.")
    # The lock keeps anybody from deactivating or handing over the owner until the lead is there.
    owner = User.objects.select_for_update(no_key=True).filter(pk=owner_id).first()
    if owner is None:
        raise errors.Invalid({"assigned_to": "This user does not exist."})
    if not owner.is_active:
        raise errors.Invalid({"assigned_to": "This user is not active."})
    return owner


def _resolve_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the names of the fields and replace keys by the rows of the source and lost reason. Raises `Invalid`."""
    wrong = dict.fromkeys(sorted(set(values) - set(WRITABLE_FIELDS)), "This field cannot be changed.")
    fields = dict(values)
    for name, (model, key) in _FOREIGN.items():
        if fields.get(name) is not None and not isinstance(fields[name], model):
            fields[name] = model._default_manager.filter(**{key: fields[name]}).first()
            if fields[name] is None:
                wrong[name] = "This choice does not exist."
    if wrong:
        raise errors.Invalid(wrong)
    return fields


def normalize_contact(lead: Lead) -> None:
    """Set the normalized email and phone of a lead. Saves nothing."""
    lead.email_normalised = normalization.normalize_email(lead.email)
    lead.phone_normalised = normalization.normalize_phone(lead.phone)


def _has_booked_before(lead: Lead) -> bool:
    """Whether a won lead has the same email or phone."""
    same = Q()
    if lead.email_normalised:
        same |= Q(email_normalised=lead.email_normalised)
    if lead.phone_normalised:
        same |= Q(phone_normalised=lead.phone_normalised)
    return bool(same) and Lead.objects.filter(same, status=Lead.Status.WON).exists()


@dataclass(frozen=True)
class RuleFields:
    """The fields of a lead that `check_rules` compares, for values that are not a `Lead` yet."""

    company_name: str = ""
    contact_name: str = ""
    status: str = Lead.Status.NEW
    pickup_at: datetime | None = None
    return_at: datetime | None = None
    lost_reason_id: str | None = None
    booked_value: Decimal | None = None
    quote_amount: Decimal | None = None


def take_booked_value_from_quote(lead: Lead) -> None:
    """Set the booked value of a won lead to its quote amount, if it has none. Saves nothing."""
    if lead.status == Lead.Status.WON and lead.booked_value is None:
        lead.booked_value = lead.quote_amount


def check_rules(lead: Lead | RuleFields, *, needs_value: bool = True) -> None:
    """Check the rules between fields. Raises `Invalid`.

    With `needs_value` a won lead must have a booked value or a quote amount. Zero is a value: a free trip.
    """
    wrong = {}
    if not lead.company_name and not lead.contact_name:
        wrong["company_name"] = "Enter the name of the company or the contact."
    if lead.pickup_at and lead.return_at and lead.return_at < lead.pickup_at:
        wrong["return_at"] = "The return must not be before the pickup."
    if lead.status == Lead.Status.LOST and lead.lost_reason_id is None:
        wrong["lost_reason"] = "Choose why the lead was lost."
    if lead.status != Lead.Status.LOST and lead.lost_reason_id is not None:
        wrong["lost_reason"] = "Only a lost lead can have a lost reason."
    if needs_value and lead.status == Lead.Status.WON and lead.booked_value is None and lead.quote_amount is None:
        wrong["booked_value"] = "Enter the booked value: a won lead counts as revenue."
    if lead.status != Lead.Status.WON and lead.booked_value is not None:
        wrong["booked_value"] = "Only a won lead can have a booked value."
    if wrong:
        raise errors.Invalid(wrong)


def json_value(lead: Lead, name: str) -> Any:
    """The value of a lead's field as `FieldChange` stores it: the key of a row, otherwise `to_json_value`."""
    return to_json_value(getattr(lead, f"{name}_id" if name in _FOREIGN else name))


def _describe_changes(changed: list[str]) -> str:
    names = ", ".join(name.replace("_", " ") for name in changed)
    return f"Changed: {names}"[:255]
