"""What the law gives a person: a copy of everything about them, and the right to be forgotten.

Both are on record, with a keyed hash in the place of the address. Erasing leaves counts, amounts, dates, statuses and
scores as they are, so that figures stay true.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from athena.accounts.models import User
from athena.db.bulk import update_each
from athena.db.text_search import ERASED, Mentions, list_text_columns
from athena.models import IdempotencyKey
from notifications import privacy as told
from sales import errors, normalization
from sales.models import Activity, FieldChange, ImportFile, ImportRow, Lead, LeadImport, PrivacyRequest
from sales.queries import personal_data
from sales.services import locks
from sales.services.leads import search_index

_Row = ImportRow.State
_UNDECIDED = (_Row.STAGED, _Row.READY, _Row.WRONG)


@dataclass(frozen=True)
class Erased:
    """How many of the person's leads, and how many rows beside them, said something of them."""

    leads: int
    rows: int


@transaction.atomic
def hand_out(*, ran_by: str, address: str) -> dict[str, Any]:
    """Everything that is kept about the person with this e-mail address, as JSON can hold it. Raises `Invalid`."""
    address = _person(address)
    leads = personal_data.leads_of(address)
    keys = [lead.pk for lead in leads]
    mentions = personal_data.mentions_of(address, leads)
    found: dict[str, Any] = {"person": address, "leads": list(Lead.objects.filter(pk__in=keys).order_by("pk").values())}
    belongs = {
        model._meta.db_table: list(model._base_manager.filter(**{f"{key}__in": keys}).order_by("pk").values())
        for model, key, _ in personal_data.of_leads()
    }
    inquiries = personal_data.inquiries_of(address, leads)
    theirs = Activity.objects.filter(Q(lead__in=keys) | Q(pk__in=inquiries.elsewhere))
    belongs["activities"] = list(theirs.exclude(pk__in=inquiries.of_others).order_by("pk").values())
    belongs["import_rows"] = list(personal_data.import_rows_of(address, leads).order_by("pk").values())
    found |= {table: rows for table, rows in belongs.items() if rows}
    found["notifications"] = [
        {"kind": row.kind, "at": row.created_at, "context": row.context} for row in told.find_about(keys, mentions)
    ]
    found["mentioned_in"] = [
        {"table": model._meta.db_table, "row": row.pop("pk"), **row}
        for model, columns in personal_data.searched()
        for row in mentions.find_rows(model, columns).order_by("pk").values("pk", *columns)
        if row["pk"] not in {each.get("id") for each in found.get(model._meta.db_table, [])}
    ]
    _record(PrivacyRequest.Action.EXPORT, address, ran_by, len(leads), sum(map(len, belongs.values())))
    return found


@transaction.atomic
def erase(*, ran_by: str, address: str) -> Erased:
    """Take the person with this e-mail address out of everything, for good.

    Their leads stay as figures without a name, and what others wrote by the web site stays in them. What they wrote by
    the web site is emptied in whichever lead it stands. Elsewhere `[erased]` takes the place of the address, and of the
    names and numbers that only they have. Raises `Invalid`; `Conflict` while a file is still being read.
    """
    address = _person(address)
    if LeadImport.objects.filter(state=LeadImport.State.READING).exists():
        raise errors.Conflict("A file is being read just now. Try again in a minute.")
    ImportFile.objects.all().delete()  # kept so that another sheet may be chosen; nobody can look into them
    theirs = personal_data.leads_of(address)
    locked = locks.lock_leads({key for lead in theirs for key in (lead.pk, lead.merged_into_id) if key})
    leads = [lead for lead in locked if lead.pk in {each.pk for each in theirs}]
    keys = [lead.pk for lead in leads]
    inquiries = personal_data.inquiries_of(address, leads)
    mentions = personal_data.mentions_of(address, [*leads, *inquiries.as_leads])
    rows = told.erase(keys, mentions, personal_data.mentions_of_address(address))
    rows += (
        _erase_imports(address, [*leads, *inquiries.as_leads], mentions)
        + _erase_answers(keys, mentions)
        + _erase_log(keys)
    )
    rows += _empty_inquiries(inquiries.elsewhere) + _empty_what_was_filled(leads)
    rows += _empty_what_belongs(keys, inquiries.of_others)
    _empty_leads(keys)
    rows += _scrub(address, mentions)
    _record(PrivacyRequest.Action.ERASE, address, ran_by, len(leads), rows)
    return Erased(len(leads), rows)


def fingerprint(address: str) -> str:
    """By which a later question about the same person can be answered from the record."""
    return salted_hmac(
        "sales.privacy", normalization.email(address), secret=settings.SECRET_KEY, algorithm="sha256"
    ).hexdigest()


def _person(address: str) -> str:
    address = normalization.email(address)
    if "@" not in address.strip("@") or len(address) < 5:
        raise errors.Invalid({"email": "This is not an e-mail address."})
    if User.objects.filter(email=address).exists():
        raise errors.Invalid({"email": "This is the address of a user of Athena. Deactivate them in the admin."})
    return address


def _record(action: str, address: str, ran_by: str, leads: int, rows: int) -> None:
    PrivacyRequest.objects.create(
        action=action, person=fingerprint(address), ran_by=ran_by[:150], leads=leads, rows=rows
    )


def _empty_leads(keys: Collection[int]) -> None:
    empty = {
        name: personal_data.emptied(Lead, name)
        for name in list_text_columns(Lead)
        if name not in personal_data.FIGURES["sales.Lead"]
    }
    normalised = {"email_normalised": "", "phone_normalised": ""}
    Lead.objects.filter(pk__in=keys).update(
        **{**empty, **normalised, "contact_name": ERASED}, version=F("version") + 1, updated_at=timezone.now()
    )


def _empty_what_belongs(keys: Collection[int], of_others: Collection[int]) -> int:
    """Everything said about their leads, but what other people wrote there; of changes of fields, all but figures."""
    rows = 0
    for model, key, columns in personal_data.of_leads():
        if columns:
            theirs = model._base_manager.filter(**{f"{key}__in": keys})
            if model is FieldChange:
                theirs = theirs.exclude(field__in=personal_data.KEPT_CHANGES)
            if model is Activity:
                theirs = theirs.exclude(pk__in=of_others)
            rows += theirs.update(**_nothing(model, columns))
    return rows


def _nothing(model: type[Model], columns: Collection[str]) -> dict[str, Any]:
    return {name: personal_data.emptied(model, name) for name in columns}


def _empty_inquiries(activities: Collection[int]) -> int:
    """What the person wrote into other people's leads, and what was said there before it was corrected."""
    columns = [name for name in list_text_columns(Activity) if name not in personal_data.FREE.get("sales.Activity", ())]
    rows = Activity.objects.filter(pk__in=activities).update(**_nothing(Activity, columns))
    corrections = FieldChange.objects.filter(field="activity", new__id__in=list(activities))
    return rows + corrections.update(old=None, new=None)


def _empty_what_was_filled(leads: Collection[Lead]) -> int:
    """What other people's leads took from the person's when those were merged into them."""
    rows = 0
    keys = {lead.pk for lead in leads}
    merged = [(lead, key) for lead in leads if (key := lead.merged_into_id) and key not in keys]
    for lead, kept_id in merged:
        about = FieldChange.objects.filter(lead=kept_id)
        rows += about.filter(field="merged", new__lead_id=lead.pk).update(old=None, new=None)
        for name in personal_data.FILLED:
            value = getattr(lead, name)
            taken = about.filter(field=name, new=value) if value else about.none()
            if taken.exists():
                rows += taken.update(old=None, new=None)
                empty = {name: ERASED if name == "contact_name" else ""}
                number = {"phone_normalised": ""} if name == "phone" else {}
                Lead.objects.filter(pk=kept_id, **{name: value}).update(**empty, **number)
    search_index.index(list(Lead.objects.filter(pk__in=[kept_id for _, kept_id in merged])))
    return rows


def _erase_imports(address: str, leads: Collection[Lead], mentions: Mentions) -> int:
    """Empty the rows of files that are theirs. Of other people's rows, take out what names the person."""
    theirs = list(personal_data.import_rows_of(address, leads).values_list("pk", flat=True))
    rows = ImportRow.objects.filter(pk__in=theirs)
    rows.filter(state__in=_UNDECIDED).update(state=_Row.SKIPPED)
    count = rows.update(
        cells=[], values={}, problems={}, cleaned={}, changes=None, email_normalised="", phone_normalised=""
    )
    changed = {}
    for row in mentions.find_rows(ImportRow, personal_data.ROW).select_related("lead_import"):
        changed[row.pk] = _row_without(row, mentions, personal_data.mentions_of_address(address))
    if changed:
        update_each(ImportRow, personal_data.ROW, changed)
    return count + len(changed)


def _row_without(row: ImportRow, mentions: Mentions, address: Mentions) -> list[Any]:
    """The columns `personal_data.ROW` of another's row, who keeps their own name and number there."""
    own = personal_data.OWN["sales.Lead"]
    cells = [
        (address if name in own else mentions).erase_from(cell)
        for name, cell in zip_longest(row.lead_import.columns[: len(row.cells)], row.cells)
    ]
    by_field = [
        each and {name: (address if name in own else mentions).erase_from(value) for name, value in each.items()}
        for each in (row.values, row.changes)
    ]
    return [cells, by_field[0], mentions.erase_from(row.problems), mentions.erase_from(row.cleaned), by_field[1]]


def _erase_answers(keys: Collection[int], mentions: Mentions) -> int:
    """The stored answers to requests about them. The requests are still known to be answered."""
    named = mentions.find_rows(IdempotencyKey, ("answer",)).values("pk")
    theirs = Q(answer__lead_id__in=list(keys)) | Q(answer__lead__in=list(keys)) | Q(pk__in=named)
    return IdempotencyKey.objects.filter(theirs).update(answer=None)


def _erase_log(keys: Collection[int]) -> int:
    """The admin's own log names each row as it was."""
    belongs: list[tuple[Any, Collection[int]]] = [(Lead, keys)]
    belongs += [
        (model, list(model._base_manager.filter(**{f"{key}__in": keys}).values_list("pk", flat=True)))
        for model, key, _ in personal_data.of_leads()
    ]
    rows = 0
    for model, ids in belongs:
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
        rows += entries.filter(object_id__in=[str(key) for key in ids]).update(object_repr=ERASED, change_message="")
    return rows


def _scrub(address: str, mentions: Mentions) -> int:
    rows = 0
    for model, columns in personal_data.searched():
        own = personal_data.OWN.get(model._meta.label, ())
        rows += mentions.erase_from_table(model, [name for name in columns if name not in own])
        if own:
            rows += personal_data.mentions_of_address(address).erase_from_table(model, own)
    return rows
