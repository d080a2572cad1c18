"""Making one lead of several that are about the same inquiry, and remembering which are not.

A merge takes the same number of statements for each table that points to leads, however many rows there are.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import ForeignKey, ManyToOneRel, Model, OneToOneRel
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, normalization, policy
from sales.models import FieldChange, Lead, LeadScoreHistory, LeadTransfer, NotDuplicate
from sales.services.follow_ups import cadences, planning
from sales.services.leads import search_index
from sales.services.leads.leads import WRITABLE_FIELDS, json_value
from sales.services.scoring import scores

MAX_MERGED_LEADS = 50

# What stays with the lead that it tells of. The score's history and the transfers are chains (each begins where the
# one before it ended): in another lead's they would not add up, and undoing an old transfer would move the kept lead.
# The others say something of the lead itself.
UNMOVED_MODELS: frozenset[type[Model]] = frozenset({LeadScoreHistory, LeadTransfer, NotDuplicate})
_KEPT_AS_IT_IS = {"status", "lost_reason", "booked_value", "is_repeat"}
_FILLED = (
    *(name for name in WRITABLE_FIELDS if name not in _KEPT_AS_IT_IS),
    *("last_source", "last_utm_source", "last_utm_medium", "last_utm_campaign", "last_utm_term", "last_utm_content"),
)
_EARLIEST = ("first_contacted_at", "qualified_at", "quoted_at", "won_at")
_LATEST = ("last_activity_at", "last_follow_up_date")


def list_moved_keys() -> list["ForeignKey[Any, Any]"]:
    """Every column that points to a lead and is pointed elsewhere by a merge, those of tables to come included.

    A row of which a lead has one (`OneToOneField`) is part of it, and stays too.
    """
    relations = (each for each in Lead._meta.get_fields(include_hidden=True) if isinstance(each, ManyToOneRel))
    fields = (each.field for each in relations if not isinstance(each, OneToOneRel))
    return [field for field in fields if field.model not in UNMOVED_MODELS]


@transaction.atomic
def merge_leads(*, by: User | None, lead_id: int, duplicate_ids: Iterable[int]) -> Lead:
    """Make one lead of several (managers): `lead_id` stays, with all that was done about the others.

    Activities, follow-ups, changes and whatever else points to a duplicate move; its score history and transfers stay
    with it (see `STAYS`). Empty fields of the kept lead are filled, from the oldest duplicate on. The duplicates are
    archived, and remember by `merged_into` where they went. Raises `NotFound` where one can't be seen, `NotAllowed`,
    `LeadClosed`, and `Invalid` for the lead itself.
    """
    wanted = set(duplicate_ids)
    kept, duplicates = _locked(by, lead_id, wanted)
    if not wanted or lead_id in wanted or len(wanted) > MAX_MERGED_LEADS:
        raise errors.Invalid(
            {"duplicate_ids": f"Name 1 to {MAX_MERGED_LEADS} other leads: a lead is no duplicate of itself."}
        )
    policy.check_is_manager(by)
    if not all(lead.is_open for lead in (kept, *duplicates)):
        raise errors.LeadClosed("Only open leads are merged. Reopen the closed one first.")
    cadences.end_all_but_one(kept, duplicates, reason=f"Merged into {kept}"[:200])
    for field in list_moved_keys():
        rows = field.model._base_manager.filter(**{f"{field.name}__in": wanted})
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
    planning.refresh_next_dates(Lead.objects.filter(pk__in=[kept.pk, *wanted]))
    scores.rescore(lead_ids=[kept.pk], by=by, reason=f"Merged: {', '.join(map(str, duplicates))}"[:255])
    kept.refresh_from_db()
    return kept


def preview_merge(*, by: User | None, lead_id: int, duplicate_ids: Iterable[int]) -> dict[str, tuple[Any, Any]]:
    """What `merge` would fill: each field's name with its value before and after. Writes nothing. Raises as it does."""
    with transaction.atomic():
        kept, duplicates = _locked(by, lead_id, set(duplicate_ids) - {lead_id})
        return _fill(kept, duplicates)


@transaction.atomic
def dismiss_duplicate(*, by: User | None, lead_id: int, other_id: int) -> None:
    """Remember that two leads are two, so that they are not shown as duplicates again.

    Raises `NotFound` where one can't be seen, `NotYourLead` where `by` may write neither, and `Invalid`.
    """
    first, second = sorted((lead_id, other_id))
    if first == second:
        raise errors.Invalid({"lead_id": "A lead is no duplicate of itself."})
    pair = _visible(by, {first, second})
    if not any(policy.may_change_lead(by, lead) for lead in pair):
        raise errors.NotYourLead
    NotDuplicate.objects.get_or_create(first_id=first, second_id=second, defaults={"by": by})


def _locked(by: User | None, lead_id: int, others: set[int]) -> tuple[Lead, list[Lead]]:
    """The kept lead and the others, the oldest first, all locked in key order. Raises `NotFound`."""
    rows = {lead.pk: lead for lead in _visible(by, {lead_id, *others})}
    kept = rows.pop(lead_id)
    return kept, list(rows.values())


def _visible(by: User | None, ids: set[int]) -> list[Lead]:
    seen = Lead.objects.filter(archived_at__isnull=True) if by is None else Lead.objects.visible_to(by)
    rows = list(seen.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    if len(rows) != len(ids):
        raise errors.NotFound("There is no such lead.")
    return rows


def _fill(kept: Lead, duplicates: list[Lead]) -> dict[str, tuple[Any, Any]]:
    """Give the kept lead what it lacks and what adds up. Returns the fields that this changes: before and after."""
    before = {name: json_value(kept, name) for name in WRITABLE_FIELDS}
    for lead in duplicates:
        for name in _FILLED:
            if getattr(kept, name) in (None, "") and _fits(kept, name, getattr(lead, name)):
                setattr(kept, name, getattr(lead, name))
        kept.is_repeat = kept.is_repeat or lead.is_repeat
        kept.follow_up_count += lead.follow_up_count
    for names, best in ((_EARLIEST, min), (_LATEST, max)):
        for name in names:
            known = [at for lead in (kept, *duplicates) if (at := getattr(lead, name)) is not None]
            setattr(kept, name, best(known, default=None))
    kept.email_normalised, kept.phone_normalised = (
        normalization.normalize_email(kept.email),
        normalization.normalize_phone(kept.phone),
    )
    after = {name: json_value(kept, name) for name in WRITABLE_FIELDS}
    return {name: (before[name], after[name]) for name in WRITABLE_FIELDS if before[name] != after[name]}


def _fits(kept: Lead, name: str, value: Any) -> bool:
    """Whether the value may stand beside what the kept lead says already: a trip does not end before it begins."""
    pickup, back = (value if name == each else getattr(kept, each) for each in ("pickup_at", "return_at"))
    return pickup is None or back is None or pickup <= back


def _record(kept: Lead, duplicates: list[Lead], changes: dict[str, tuple[Any, Any]], by: User | None) -> None:
    """The audit: what was filled and merged on the kept lead, where they went on the others."""
    now = timezone.now()
    rows = [FieldChange(lead=kept, field=name, old=was, new=new, by=by) for name, (was, new) in changes.items()]
    for lead in duplicates:
        gone = {"lead_id": lead.pk, "name": str(lead)}
        rows.append(FieldChange(lead=kept, field="merged", old=None, new=gone, by=by))
        rows.append(FieldChange(lead=lead, field="archived", old=False, new=True, by=by))
    for row in rows:
        row.at = now
    FieldChange.objects.bulk_create(rows)
