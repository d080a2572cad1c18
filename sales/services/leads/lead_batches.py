"""Creating, updating and archiving many leads in a fixed number of statements, inside the caller's transaction.

Each lead ends up as `leads.create`, `leads.update` or `leads.archive` would leave it. Permissions are not checked here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, F, JSONField, Q, Value
from django.utils import timezone

from athena.accounts.models import User
from athena.db.bulk import IdIn, insert_ignoring_conflicts, insert_select, reserve_ids, update_each
from sales import errors
from sales.models import FieldChange, Lead
from sales.models.leads.lead import UTM_FIELDS, LeadQuerySet
from sales.services import locks
from sales.services.follow_ups import cadences, planning
from sales.services.leads import arrival_alerts, leads, search_index
from sales.services.ownership import assignment
from sales.services.scoring import scores

_INSERTED = (
    *leads.WRITABLE_FIELDS,
    *("assigned_to", "email_normalised", "phone_normalised", "first_contacted_at", "qualified_at", "quoted_at"),
    *("won_at", "closed_at", "last_source"),
    *(f"last_{name}" for name in UTM_FIELDS),
    *("created_by", "created_at", "updated_at"),
)
_UPDATED = (*leads.WRITABLE_FIELDS, "email_normalised", "phone_normalised", "updated_at")
_FOREIGN_KEYS = ("source", "last_source", "lost_reason", "assigned_to", "created_by")
_CONTACT_KEYS = ("email_normalised", "phone_normalised")


@dataclass(frozen=True)
class UpdateResult:
    """What an update changed: by field, the JSON values before and after; or why it was refused."""

    values: Mapping[str, tuple[Any, Any]]
    refused: str = ""


def create(*, by: User | None, new: Sequence[Lead], reason: str, import_id: int | None) -> datetime:
    """Insert these leads and set their keys. Returns their `created_at`.

    `reason` goes into their score histories, and `import_id` into their histories of changes.
    """
    now = timezone.now()
    booked = _find_booked_contacts(new)
    for lead, key in zip(new, reserve_ids(Lead, len(new)), strict=True):
        lead.pk, lead.created_by, lead.created_at, lead.updated_at = key, by, now, now
        leads.complete_new_lead(
            lead, booked_before=lambda lead: any((key, getattr(lead, key)) in booked for key in _CONTACT_KEYS)
        )
    names = [name for name in _INSERTED if _differs_from_default(name, new)]
    insert_ignoring_conflicts(Lead, ("id", *names), ([lead.pk, *_get_values(lead, names)] for lead in new))
    search_index.index_leads(new)
    unassigned = [lead for lead in new if lead.assigned_to_id is None and lead.is_open]
    assigned = assignment.assign_new_leads(unassigned)
    arrivals = [arrival_alerts.build_new_lead_arrival(lead, by) for lead in unassigned if lead.pk not in assigned]
    arrival_alerts.notify_arrivals(arrivals, by=by)
    lead_ids = [lead.pk for lead in new]
    _record_import(by, lead_ids, now, import_id)
    scores.rescore(lead_ids=lead_ids, by=by, reason=reason)
    return now


def _find_booked_contacts(new: Iterable[Lead]) -> set[tuple[str, str]]:
    """Return those of the leads' email addresses and phone numbers that have a won lead, each with its column."""
    booked = set()
    for key in _CONTACT_KEYS:
        values = {getattr(lead, key) for lead in new} - {"", None}
        won = Lead.objects.filter(status=Lead.Status.WON, **{f"{key}__in": values}).order_by()
        booked |= {(key, value) for value in won.values_list(key, flat=True)}
    return booked


def update(
    *, by: User | None, changes: Sequence[tuple[int, Mapping[str, Any]]], reason: str, import_id: int | None
) -> tuple[list[UpdateResult], datetime]:
    """Update fields of open leads that are visible to `by`, in this order. Returns a result for each, and `updated_at`.

    `changes` are pairs of a lead's key and its new fields (see `columns.to_lead_fields`); one that breaks a rule is
    refused as a whole. The status never changes.
    """
    now = timezone.now()
    lead_ids = sorted({lead_id for lead_id, _ in changes})
    visible = set(_visible_leads(by).filter(IdIn("pk", lead_ids)).values_list("pk", flat=True))
    locked = {lead.pk: lead for lead in locks.lock_leads(visible) if lead.archived_at is None}
    results, history = [], []
    for lead_id, fields in changes:
        lead = locked.get(lead_id)
        result = UpdateResult({}, "The lead is archived.") if lead is None else _apply_fields(lead, fields)
        results.append(result)
        history += [(lead_id, name, old, new, by and by.pk, now) for name, (old, new) in sorted(result.values.items())]
    updated = sorted({lead_id for lead_id, *_ in history})
    if updated:
        _save_updates([locked[lead_id] for lead_id in updated], now)
        insert_ignoring_conflicts(FieldChange, ("lead", "field", "old", "new", "by", "at"), history)
        _record_import(by, updated, now, import_id)
        scores.rescore(lead_ids=updated, by=by, reason=reason)
    return results, now


def _save_updates(leads_to_save: Sequence[Lead], now: datetime) -> None:
    for lead in leads_to_save:
        lead.updated_at = now
    update_each(
        Lead, _UPDATED, {lead.pk: _get_values(lead, _UPDATED) for lead in leads_to_save}, incremented=["version"]
    )
    search_index.index_leads(leads_to_save)


def _apply_fields(lead: Lead, fields: Mapping[str, Any]) -> UpdateResult:
    """Set the fields that differ, all or none. Saves nothing."""
    original = {name: getattr(lead, name) for name in (*fields, *_CONTACT_KEYS)}
    names = [name.removesuffix("_id") for name in fields]
    before = {name: leads.json_value(lead, name) for name in names}
    for name, value in fields.items():
        setattr(lead, name, value)
    leads.normalize_contact(lead)
    after = {name: leads.json_value(lead, name) for name in names}
    refused = ""
    try:
        leads.check_rules(lead)
    except errors.Invalid as error:
        refused = " ".join(error.fields.values())
    if not refused and after != before and not lead.is_open:
        refused = "The lead is closed."
    if refused:
        for name, value in original.items():
            setattr(lead, name, value)
        return UpdateResult({}, refused)
    return UpdateResult({name: (old, after[name]) for name, old in before.items() if old != after[name]})


def archive(*, by: User | None, lead_ids: Collection[int], reason: str) -> None:
    """Archive these leads, which the caller has locked, and cancel what is planned for them, with this reason."""
    if not lead_ids:
        return
    now = timezone.now()
    archived = Lead.objects.filter(IdIn("pk", lead_ids))
    planning.cancel_open_follow_ups(archived, reason=reason, by=by)
    cadences.stop_for_leads(archived, reason=reason)
    archived.update(archived_at=now, updated_at=now, version=F("version") + 1)
    FieldChange.objects.bulk_create(
        FieldChange(lead_id=lead_id, field="archived", old=False, new=True, by=by, at=now)
        for lead_id in sorted(lead_ids)
    )
    planning.refresh_next_dates(archived)


def find_touched_leads(written_at: Mapping[int, datetime]) -> set[int]:
    """Return those leads that somebody has changed since the given `updated_at`, or has worked on in another way."""
    candidates = Lead.objects.filter(IdIn("pk", written_at))
    changed = {lead_id for lead_id, at in candidates.values_list("pk", "updated_at") if at != written_at[lead_id]}
    is_worked_on = Q(follow_ups__isnull=False) | Q(activities__isnull=False) | Q(transfers__isnull=False)
    return changed | set(candidates.filter(is_worked_on).values_list("pk", flat=True))


def _record_import(by: User | None, lead_ids: Iterable[int], now: datetime, import_id: int | None) -> None:
    """Write the import into the leads' histories of changes; None says that it was undone."""
    insert_select(
        FieldChange,
        Lead.objects.filter(IdIn("pk", lead_ids)),
        lead=F("pk"),
        field=Value("import"),
        new=Value(import_id, JSONField()),
        by=Value(by and by.pk, BigIntegerField()),
        at=Value(now),
    )


def _visible_leads(by: User | None) -> LeadQuerySet:
    return Lead.objects.all() if by is None else Lead.objects.visible_to(by)


def _differs_from_default(name: str, new: Iterable[Lead]) -> bool:
    """Whether any of the leads has another value in this field than the database's default."""
    attribute, default = _get_attribute(name), Lead._meta.get_field(name).get_default()  # type: ignore[union-attr]
    return any(getattr(lead, attribute) != default for lead in new)


def _get_attribute(name: str) -> str:
    return f"{name}_id" if name in _FOREIGN_KEYS else name


def _get_values(lead: Lead, names: Iterable[str]) -> list[Any]:
    """Return the values of these fields, as keys where they are rows."""
    return [getattr(lead, _get_attribute(name)) for name in names]
