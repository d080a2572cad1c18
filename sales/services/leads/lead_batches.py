"""Many leads at once, inside the caller's transaction: what `leads.create` and `leads.update` do to one, in a few
statements for all. No rights are asked here."""

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
from sales.services import locks
from sales.services.follow_ups import cadences, planning
from sales.services.leads import arrival_alerts, leads, search_index
from sales.services.ownership import assignment
from sales.services.scoring import scores

_COLUMNS = (
    *(name for name in leads.WRITABLE),
    *("assigned_to", "email_normalised", "phone_normalised", "first_contacted_at", "qualified_at", "quoted_at"),
    *("won_at", "closed_at", "last_source"),
    *(f"last_utm_{name}" for name in ("source", "medium", "campaign", "term", "content")),
    *("created_by", "created_at", "updated_at"),
)
_CHANGED = (*leads.WRITABLE, "email_normalised", "phone_normalised", "updated_at")
_FOREIGN = ("source", "last_source", "lost_reason", "assigned_to", "created_by")
_KEYS = ("email_normalised", "phone_normalised")


@dataclass(frozen=True)
class Changed:
    """What became of a lead: by field the value before and after, as JSON has them, or why it is as it was."""

    values: Mapping[str, tuple[Any, Any]]
    refused: str = ""


def create(*, by: User | None, new: Sequence[Lead], reason: str, note: Any) -> datetime:
    """Take these leads in; they get their keys. Returns when. `note` goes into the history of each, as `import`."""
    now = timezone.now()
    booked = _booked(new)
    for lead, key in zip(new, reserve_ids(Lead, len(new)), strict=True):
        lead.pk, lead.created_by, lead.created_at, lead.updated_at = key, by, now, now
        leads.complete(lead, booked_before=lambda lead: any((key, getattr(lead, key)) in booked for key in _KEYS))
    said = [name for name in _COLUMNS if _is_said(name, new)]
    insert_ignoring_conflicts(Lead, ("id", *said), ([lead.pk, *_stored(lead, said)] for lead in new))
    search_index.index(new)
    unowned = [lead for lead in new if lead.assigned_to_id is None and lead.is_open]
    assigned = assignment.assign(unowned)
    arrivals = [arrival_alerts.build_new_lead_arrival(lead, by) for lead in unowned if lead.pk not in assigned]
    arrival_alerts.notify_arrivals(arrivals, by=by)
    keys = [lead.pk for lead in new]
    _note(by, keys, now, note)
    scores.rescore(lead_ids=keys, by=by, reason=reason)
    return now


def _booked(new: Iterable[Lead]) -> set[tuple[str, str]]:
    """Which of these leads' addresses and numbers have booked before."""
    found = set()
    for key in _KEYS:
        values = {getattr(lead, key) for lead in new} - {"", None}
        won = Lead.objects.filter(status=Lead.Status.WON, **{f"{key}__in": values}).order_by()
        found |= {(key, value) for value in won.values_list(key, flat=True)}
    return found


def update(
    *, by: User | None, changes: Iterable[tuple[int, Mapping[str, Any]]], reason: str, note: Any
) -> tuple[list[Changed], datetime]:
    """Change fields (as `columns.as_fields` names them) of open leads that `by` sees, in this order.

    A change of a lead that can't be made is left out whole, with the reason. A status is never changed here.
    """
    changes = list(changes)
    now, asked = timezone.now(), sorted({key for key, _ in changes})
    seen = set(_visible(by).filter(IdIn("pk", asked)).values_list("pk", flat=True))
    found = {lead.pk: lead for lead in locks.lock_leads(seen) if lead.archived_at is None}
    results, history = [], []
    for key, values in changes:
        lead = found.get(key)
        result = Changed({}, "The lead is put away.") if lead is None else _apply(lead, values)
        results.append(result)
        if lead is not None:
            history += [
                (lead.pk, name, old, new, by and by.pk, now) for name, (old, new) in sorted(result.values.items())
            ]
    written = sorted({key for key, *_ in history})
    for key in written:
        found[key].updated_at = now
    update_each(Lead, _CHANGED, {key: _stored(found[key], _CHANGED) for key in written})
    Lead.objects.filter(IdIn("pk", written)).update(version=F("version") + 1)
    search_index.index([found[key] for key in written])
    insert_ignoring_conflicts(FieldChange, ("lead", "field", "old", "new", "by", "at"), history)
    _note(by, written, now, note)
    scores.rescore(lead_ids=written, by=by, reason=reason)
    return results, now


def _is_said(name: str, new: Iterable[Lead]) -> bool:
    """Whether any of them has another value there than the database gives by itself."""
    attribute, default = _attribute(name), Lead._meta.get_field(name).get_default()  # type: ignore[union-attr]
    return any(getattr(lead, attribute) != default for lead in new)


def _attribute(name: str) -> str:
    return f"{name}_id" if name in _FOREIGN else name


def _stored(lead: Lead, names: Iterable[str]) -> list[Any]:
    """The lead's values, keys in the place of rows."""
    return [getattr(lead, _attribute(name)) for name in names]


def _visible(by: User | None) -> Any:
    return Lead.objects.all() if by is None else Lead.objects.visible_to(by)


def _apply(lead: Lead, values: Mapping[str, Any]) -> Changed:
    """Set what differs; all of it or nothing."""
    was = {name: getattr(lead, name) for name in (*values, *_KEYS)}
    names = {name: name.removesuffix("_id") for name in values}
    before = {names[name]: leads.plain(lead, names[name]) for name in values}
    for name, value in values.items():
        setattr(lead, name, value)
    leads.normalise_contact(lead)
    try:
        leads.check(lead)
    except errors.Invalid as error:
        for name, value in was.items():
            setattr(lead, name, value)
        return Changed({}, " ".join(error.fields.values()))
    after = {name: leads.plain(lead, name) for name in before}
    if after != before and not lead.is_open:
        for name, value in was.items():
            setattr(lead, name, value)
        return Changed({}, "The lead is closed.")
    return Changed({name: (old, after[name]) for name, old in before.items() if old != after[name]})


def archive(*, by: User | None, lead_ids: Collection[int], reason: str) -> None:
    """Put these (locked) leads away."""
    now = timezone.now()
    these = Lead.objects.filter(IdIn("pk", lead_ids))
    planning.cancel_open(these, reason=reason, by=by)
    cadences.end(these, reason=reason)
    these.update(archived_at=now, updated_at=now, version=F("version") + 1)
    FieldChange.objects.bulk_create(
        FieldChange(lead_id=key, field="archived", old=False, new=True, by=by, at=now) for key in sorted(lead_ids)
    )
    planning.refresh_next_dates(these)


def touched(lead_ids: Collection[int], since: Mapping[int, datetime]) -> set[int]:
    """Which of these leads somebody has worked on after the moment given for each: changed it, or planned for it."""
    these = Lead.objects.filter(IdIn("pk", lead_ids))
    changed = {key for key, at in these.values_list("pk", "updated_at") if at != since[key]}
    worked_on = Q(follow_ups__isnull=False) | Q(activities__isnull=False) | Q(transfers__isnull=False)
    return changed | set(these.filter(worked_on).values_list("pk", flat=True))


def _note(by: User | None, lead_ids: Iterable[int], at: datetime, note: Any) -> None:
    these = Lead.objects.filter(IdIn("pk", lead_ids))
    insert_select(
        FieldChange,
        these,
        lead=F("pk"),
        field=Value("import"),
        new=Value(note, JSONField()),
        by=Value(by and by.pk, BigIntegerField()),
        at=Value(at),
    )
