"""Creates, updates and archives many leads in a few statements, inside the caller's transaction.

The results are those of `leads.create`, `leads.update` and `leads.archive`. The caller has checked permissions.
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
from sales.models.lead import UTM_FIELDS
from sales.services import locks
from sales.services.follow_ups import cadences, planning
from sales.services.leads import arrival_alerts, leads, search_index
from sales.services.ownership import assignment
from sales.services.scoring import scores

_COLUMNS = (
    *leads.WRITABLE_FIELDS,
    *("assigned_to", "email_normalised", "phone_normalised", "first_contacted_at", "qualified_at", "quoted_at"),
    *("won_at", "closed_at", "last_source"),
    *(f"last_{name}" for name in UTM_FIELDS),
    *("created_by", "created_at", "updated_at"),
)
_CHANGED = (*leads.WRITABLE_FIELDS, "email_normalised", "phone_normalised", "updated_at")
_FOREIGN = ("source", "last_source", "lost_reason", "assigned_to", "created_by")
_CONTACT_KEYS = ("email_normalised", "phone_normalised")


@dataclass(frozen=True)
class UpdateResult:
    """The result of a change of a lead: old and new value (JSON) by field, or why it was refused."""

    values: Mapping[str, tuple[Any, Any]]
    refused: str = ""


def create(*, by: User | None, new: Sequence[Lead], reason: str, note: Any) -> datetime:
    """Create leads from unsaved ones, which get their ids. Returns the time of creation.

    `note` is stored in the history of each lead as a `FieldChange` of the field "import".
    """
    now = timezone.now()
    booked = _find_booked_contacts(new)
    for lead, key in zip(new, reserve_ids(Lead, len(new)), strict=True):
        lead.pk, lead.created_by, lead.created_at, lead.updated_at = key, by, now, now
        leads.complete_new_lead(
            lead, booked_before=lambda lead: any((key, getattr(lead, key)) in booked for key in _CONTACT_KEYS)
        )
    columns = [name for name in _COLUMNS if _is_column_set(name, new)]
    insert_ignoring_conflicts(Lead, ("id", *columns), ([lead.pk, *_get_column_values(lead, columns)] for lead in new))
    search_index.index_leads(new)
    unowned = [lead for lead in new if lead.assigned_to_id is None and lead.is_open]
    assigned = assignment.assign_new_leads(unowned)
    arrivals = [arrival_alerts.build_new_lead_arrival(lead, by) for lead in unowned if lead.pk not in assigned]
    arrival_alerts.notify_arrivals(arrivals, by=by)
    keys = [lead.pk for lead in new]
    _record_import(by, keys, now, note)
    scores.rescore(lead_ids=keys, by=by, reason=reason)
    return now


def _find_booked_contacts(new: Iterable[Lead]) -> set[tuple[str, str]]:
    """The normalized emails and phones of these leads that won leads have, as (column, value)."""
    contacts = set()
    for key in _CONTACT_KEYS:
        values = {getattr(lead, key) for lead in new} - {"", None}
        won = Lead.objects.filter(status=Lead.Status.WON, **{f"{key}__in": values}).order_by()
        contacts |= {(key, value) for value in won.values_list(key, flat=True)}
    return contacts


def update(
    *, by: User | None, changes: Iterable[tuple[int, Mapping[str, Any]]], reason: str, note: Any
) -> tuple[list[UpdateResult], datetime]:
    """Change fields of open leads that `by` may see, one after the other.

    `changes` has pairs of a lead's id and values by attribute name (`source_id`). The changes of a lead are made as a
    whole or refused with the reason. A status is never changed here. Returns a result per pair, and the time of change.
    """
    changes = list(changes)
    now, ids = timezone.now(), sorted({key for key, _ in changes})
    visible_ids = set(_get_visible_leads(by).filter(IdIn("pk", ids)).values_list("pk", flat=True))
    locked = {lead.pk: lead for lead in locks.lock_leads(visible_ids) if lead.archived_at is None}
    results, history = [], []
    for key, values in changes:
        lead = locked.get(key)
        result = UpdateResult({}, "The lead is archived.") if lead is None else _apply_values(lead, values)
        results.append(result)
        if lead is not None:
            history += [
                (lead.pk, name, old, new, by and by.pk, now) for name, (old, new) in sorted(result.values.items())
            ]
    written = sorted({key for key, *_ in history})
    for key in written:
        locked[key].updated_at = now
    update_each(Lead, _CHANGED, {key: _get_column_values(locked[key], _CHANGED) for key in written})
    Lead.objects.filter(IdIn("pk", written)).update(version=F("version") + 1)
    search_index.index_leads([locked[key] for key in written])
    insert_ignoring_conflicts(FieldChange, ("lead", "field", "old", "new", "by", "at"), history)
    _record_import(by, written, now, note)
    scores.rescore(lead_ids=written, by=by, reason=reason)
    return results, now


def _is_column_set(name: str, new: Iterable[Lead]) -> bool:
    """Whether any of these leads has a value other than the default in this column."""
    attribute, default = _attribute(name), Lead._meta.get_field(name).get_default()  # type: ignore[union-attr]
    return any(getattr(lead, attribute) != default for lead in new)


def _attribute(name: str) -> str:
    return f"{name}_id" if name in _FOREIGN else name


def _get_column_values(lead: Lead, names: Iterable[str]) -> list[Any]:
    """The lead's values as the columns hold them: ids instead of rows."""
    return [getattr(lead, _attribute(name)) for name in names]


def _get_visible_leads(by: User | None) -> Any:
    return Lead.objects.all() if by is None else Lead.objects.visible_to(by)


def _apply_values(lead: Lead, values: Mapping[str, Any]) -> UpdateResult:
    """Set the values that differ, either all or none."""
    old_values = {name: getattr(lead, name) for name in (*values, *_CONTACT_KEYS)}
    names = {name: name.removesuffix("_id") for name in values}
    before = {names[name]: leads.json_value(lead, names[name]) for name in values}
    for name, value in values.items():
        setattr(lead, name, value)
    leads.normalize_contact(lead)
    try:
        leads.check_rules(lead)
    except errors.Invalid as error:
        for name, value in old_values.items():
            setattr(lead, name, value)
        return UpdateResult({}, " ".join(error.fields.values()))
    after = {name: leads.json_value(lead, name) for name in before}
    if after != before and not lead.is_open:
        for name, value in old_values.items():
            setattr(lead, name, value)
        return UpdateResult({}, "The lead is closed.")
    return UpdateResult({name: (old, after[name]) for name, old in before.items() if old != after[name]})


def archive(*, by: User | None, lead_ids: Collection[int], reason: str) -> None:
    """Archive these (locked) leads, as `leads.archive` does."""
    now = timezone.now()
    rows = Lead.objects.filter(IdIn("pk", lead_ids))
    planning.cancel_open_follow_ups(rows, reason=reason, by=by)
    cadences.stop_for_leads(rows, reason=reason)
    rows.update(archived_at=now, updated_at=now, version=F("version") + 1)
    FieldChange.objects.bulk_create(
        FieldChange(lead_id=key, field="archived", old=False, new=True, by=by, at=now) for key in sorted(lead_ids)
    )
    planning.refresh_next_dates(rows)


def find_touched_leads(lead_ids: Collection[int], since: Mapping[int, datetime]) -> set[int]:
    """The ids of the leads changed after their time in `since`, or with any follow-up, activity or transfer."""
    rows = Lead.objects.filter(IdIn("pk", lead_ids))
    changed = {key for key, at in rows.values_list("pk", "updated_at") if at != since[key]}
    worked_on = Q(follow_ups__isnull=False) | Q(activities__isnull=False) | Q(transfers__isnull=False)
    return changed | set(rows.filter(worked_on).values_list("pk", flat=True))


def _record_import(by: User | None, lead_ids: Iterable[int], at: datetime, note: Any) -> None:
    rows = Lead.objects.filter(IdIn("pk", lead_ids))
    insert_select(
        FieldChange,
        rows,
        lead=F("pk"),
        field=Value("import"),
        new=Value(note, JSONField()),
        by=Value(by and by.pk, BigIntegerField()),
        at=Value(at),
    )
