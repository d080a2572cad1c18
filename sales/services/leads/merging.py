"""Merges duplicates into one lead, and remembers which leads are not duplicates.

A merge takes a constant number of statements for each table that points to leads.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import ForeignKey, ManyToOneRel, Model, OneToOneRel
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, policy
from sales.models import FieldChange, Lead, LeadScoreHistory, LeadTransfer, NotDuplicate
from sales.models.leads.lead import UTM_FIELDS
from sales.services.follow_ups import cadences, planning
from sales.services.leads import search_index
from sales.services.leads.leads import WRITABLE_FIELDS, json_value, normalize_contact
from sales.services.scoring import scores

MAX_MERGED_LEADS = 50

# Rows that stay with a duplicate. The score history and the transfers of a lead are chains, in which each row begins
# where the one before it ended: mixed with another lead's they would not add up, and undoing an old transfer would move
# the kept lead. A pair of `NotDuplicate` is about the duplicate itself.
UNMOVED_MODELS: frozenset[type[Model]] = frozenset({LeadScoreHistory, LeadTransfer, NotDuplicate})
UNMERGED_FIELDS = {"status", "lost_reason", "booked_value", "is_repeat"}
FILLED_FIELDS = (
    *(name for name in WRITABLE_FIELDS if name not in UNMERGED_FIELDS),
    *("last_source", *(f"last_{name}" for name in UTM_FIELDS)),
)
EARLIEST_FIELDS = ("first_contacted_at", "qualified_at", "quoted_at", "won_at")
LATEST_FIELDS = ("last_activity_at", "last_follow_up_date")


def list_moved_keys() -> list["ForeignKey[Any, Any]"]:
    """The foreign keys to leads that a merge points to the kept lead, read from the models.

    A row that a lead has only one of (`OneToOneField`) is part of the lead and stays.
    """
    relations = (field for field in Lead._meta.get_fields(include_hidden=True) if isinstance(field, ManyToOneRel))
    fields = (relation.field for relation in relations if not isinstance(relation, OneToOneRel))
    return [field for field in fields if field.model not in UNMOVED_MODELS]


@transaction.atomic
def merge_leads(*, by: User | None, lead_id: int, duplicate_ids: Iterable[int]) -> Lead:
    """Merge duplicates into the kept lead `lead_id` (managers).

    Activities, follow-ups, field changes and all other rows of the duplicates move, except `UNMOVED_MODELS`. Empty
    fields of the kept lead are filled from the duplicates, oldest first. The duplicates are archived with `merged_into`
    set. Raises `NotFound` if `by` may not see one of the leads, `NotAllowed`, `LeadClosed`, and `Invalid` if there are
    too many or the kept lead is among the duplicates.
    """
    other_ids = set(duplicate_ids)
    kept, duplicates = _lock_leads(by, lead_id, other_ids)
    if not other_ids or lead_id in other_ids or len(other_ids) > MAX_MERGED_LEADS:
        raise errors.Invalid({"duplicate_ids": f"Name 1 to {MAX_MERGED_LEADS} leads other than the one to keep."})
    policy.check_is_manager(by)
    if not all(lead.is_open for lead in (kept, *duplicates)):
        raise errors.LeadClosed("Only open leads can be merged. Reopen the closed lead first.")
    cadences.stop_all_but_one(kept, duplicates, reason=f"Merged into {kept}"[:200])
    for field in list_moved_keys():
        rows = field.model._base_manager.filter(**{f"{field.name}__in": other_ids})
        rows.update(**{field.attname: kept.pk})
    changes = _fill(kept, duplicates)
    now = timezone.now()
    _record(kept, duplicates, changes, by)
    for lead in duplicates:
        lead.merged_into, lead.archived_at = kept, now
    for lead in (kept, *duplicates):
        lead.version += 1
        lead.updated_at = now
        lead.save()
    search_index.index_leads([kept])
    planning.refresh_next_dates(Lead.objects.filter(pk__in=[kept.pk, *other_ids]))
    scores.rescore(lead_ids=[kept.pk], by=by, reason=f"Merged: {', '.join(map(str, duplicates))}"[:255])
    kept.refresh_from_db()
    return kept


def preview_merge(*, by: User | None, lead_id: int, duplicate_ids: Iterable[int]) -> dict[str, tuple[Any, Any]]:
    """The fields of the kept lead that `merge_leads` would fill, each with its old and new value. Writes nothing.

    Raises `NotFound`.
    """
    with transaction.atomic():
        kept, duplicates = _lock_leads(by, lead_id, set(duplicate_ids) - {lead_id})
        return _fill(kept, duplicates)


@transaction.atomic
def dismiss_duplicate(*, by: User | None, lead_id: int, other_id: int) -> None:
    """Mark two leads as not duplicates, so that they are not shown as such again.

    Raises `NotFound` if `by` may not see one of them, `NotYourLead` if `by` may change neither, and `Invalid`.
    """
    first, second = sorted((lead_id, other_id))
    if first == second:
        raise errors.Invalid({"lead_id": "Name a different lead."})
    pair = _lock_visible_leads(by, {first, second})
    if not any(policy.may_change_lead(by, lead) for lead in pair):
        raise errors.NotYourLead
    NotDuplicate.objects.get_or_create(first_id=first, second_id=second, defaults={"by": by})


def _lock_leads(by: User | None, lead_id: int, others: set[int]) -> tuple[Lead, list[Lead]]:
    """Lock the kept lead and the others in key order; returns the others oldest first. Raises `NotFound`."""
    rows = {lead.pk: lead for lead in _lock_visible_leads(by, {lead_id, *others})}
    kept = rows.pop(lead_id)
    return kept, list(rows.values())


def _lock_visible_leads(by: User | None, ids: set[int]) -> list[Lead]:
    visible = Lead.objects.filter(archived_at__isnull=True) if by is None else Lead.objects.visible_to(by)
    rows = list(visible.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    if len(rows) != len(ids):
        raise errors.NotFound("There is no such lead.")
    return rows


def _fill(kept: Lead, duplicates: list[Lead]) -> dict[str, tuple[Any, Any]]:
    """Fill the kept lead's empty fields and combine its totals and milestones. Returns old and new value by field."""
    before = {name: json_value(kept, name) for name in WRITABLE_FIELDS}
    for lead in duplicates:
        for name in FILLED_FIELDS:
            if getattr(kept, name) in (None, "") and _fits(kept, name, getattr(lead, name)):
                setattr(kept, name, getattr(lead, name))
        kept.is_repeat = kept.is_repeat or lead.is_repeat
        kept.follow_up_count += lead.follow_up_count
    for names, best in ((EARLIEST_FIELDS, min), (LATEST_FIELDS, max)):
        for name in names:
            times = [at for lead in (kept, *duplicates) if (at := getattr(lead, name)) is not None]
            setattr(kept, name, best(times, default=None))
    normalize_contact(kept)
    after = {name: json_value(kept, name) for name in WRITABLE_FIELDS}
    return {name: (before[name], after[name]) for name in WRITABLE_FIELDS if before[name] != after[name]}


def _fits(kept: Lead, name: str, value: Any) -> bool:
    """Whether the value is compatible with the kept lead's other fields: the return is not before the pickup."""
    pickup, return_at = (value if name == field else getattr(kept, field) for field in ("pickup_at", "return_at"))
    return pickup is None or return_at is None or pickup <= return_at


def _record(kept: Lead, duplicates: list[Lead], changes: dict[str, tuple[Any, Any]], by: User | None) -> None:
    """Record the filled fields and the merge on the kept lead, and the archiving on the duplicates."""
    now = timezone.now()
    rows = [FieldChange(lead=kept, field=name, old=old, new=new, by=by) for name, (old, new) in changes.items()]
    for lead in duplicates:
        merged = {"lead_id": lead.pk, "name": str(lead)}
        rows.append(FieldChange(lead=kept, field="merged", old=None, new=merged, by=by))
        rows.append(FieldChange(lead=lead, field="archived", old=False, new=True, by=by))
    for row in rows:
        row.at = now
    FieldChange.objects.bulk_create(rows)
