"""Exports or erases all data about a person, on their request.

Each request is recorded with a keyed hash instead of the address. Erasing keeps counts, amounts, dates, statuses and
scores, so that reports stay true.
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
from notifications import privacy as notification_privacy
from sales import errors, normalization
from sales.models import Activity, FieldChange, ImportFile, ImportRow, Lead, LeadImport, PrivacyRequest
from sales.queries import personal_data
from sales.services import locks
from sales.services.leads import search_index

_Row = ImportRow.State
_UNDECIDED = (_Row.STAGED, _Row.READY, _Row.WRONG)


@dataclass(frozen=True)
class ErasureCounts:
    """How many leads of a person, and how many other rows, were erased."""

    leads: int
    rows: int


@transaction.atomic
def export_person(*, ran_by: str, address: str) -> dict[str, Any]:
    """All stored data about the person with this email address, by table. Raises `Invalid`."""
    address = _check_address(address)
    leads = personal_data.find_leads(address)
    keys = [lead.pk for lead in leads]
    mentions = personal_data.build_mentions(address, leads)
    data: dict[str, Any] = {"person": address, "leads": list(Lead.objects.filter(pk__in=keys).order_by("pk").values())}
    lead_rows = {
        model._meta.db_table: list(model._base_manager.filter(**{f"{key}__in": keys}).order_by("pk").values())
        for model, key, _ in personal_data.list_lead_columns()
    }
    inquiries = personal_data.find_inquiries(address, leads)
    activities = Activity.objects.filter(Q(lead__in=keys) | Q(pk__in=inquiries.elsewhere))
    lead_rows["activities"] = list(activities.exclude(pk__in=inquiries.of_others).order_by("pk").values())
    lead_rows["import_rows"] = list(personal_data.find_import_rows(address, leads).order_by("pk").values())
    data |= {table: rows for table, rows in lead_rows.items() if rows}
    data["notifications"] = [
        {"kind": row.kind, "at": row.created_at, "context": row.context}
        for row in notification_privacy.find_about(keys, mentions)
    ]
    data["mentioned_in"] = [
        {"table": model._meta.db_table, "row": row.pop("pk"), **row}
        for model, columns in personal_data.list_searched_columns()
        for row in mentions.find_rows(model, columns).order_by("pk").values("pk", *columns)
        if row["pk"] not in {other.get("id") for other in data.get(model._meta.db_table, [])}
    ]
    _record(PrivacyRequest.Action.EXPORT, address, ran_by, len(leads), sum(map(len, lead_rows.values())))
    return data


@transaction.atomic
def erase_person(*, ran_by: str, address: str) -> ErasureCounts:
    """Erase all data about the person with this email address, for good.

    Their leads stay without a name, for the reports; inquiries of other people in them are kept. Their own inquiries
    are emptied in every lead. Everywhere else `[erased]` replaces the address, and the names and numbers that nobody
    else has. Raises `Invalid`, and `Conflict` while an import file is being read.
    """
    address = _check_address(address)
    if LeadImport.objects.filter(state=LeadImport.State.READING).exists():
        raise errors.Conflict("A file is being read. Try again in a minute.")
    ImportFile.objects.all().delete()  # they only serve to choose another sheet, and cannot be searched
    own_leads = personal_data.find_leads(address)
    locked = locks.lock_leads({key for lead in own_leads for key in (lead.pk, lead.merged_into_id) if key})
    leads = [lead for lead in locked if lead.pk in {own_lead.pk for own_lead in own_leads}]
    keys = [lead.pk for lead in leads]
    inquiries = personal_data.find_inquiries(address, leads)
    mentions = personal_data.build_mentions(address, [*leads, *inquiries.as_leads])
    rows = notification_privacy.erase(keys, mentions, personal_data.build_address_mentions(address))
    rows += (
        _erase_imports(address, [*leads, *inquiries.as_leads], mentions)
        + _erase_stored_answers(keys, mentions)
        + _erase_admin_log(keys)
    )
    rows += _erase_inquiries(inquiries.elsewhere) + _erase_merged_values(leads)
    rows += _erase_lead_rows(keys, inquiries.of_others)
    _erase_leads(keys)
    rows += _erase_mentions(address, mentions)
    _record(PrivacyRequest.Action.ERASE, address, ran_by, len(leads), rows)
    return ErasureCounts(len(leads), rows)


def hash_address(address: str) -> str:
    """A keyed hash of the address, by which a later request of the same person finds the record of this one."""
    return salted_hmac(
        "sales.privacy", normalization.normalize_email(address), secret=settings.SECRET_KEY, algorithm="sha256"
    ).hexdigest()


def _check_address(address: str) -> str:
    """The normalized address, checked to be an email address of nobody who uses Athena. Raises `Invalid`."""
    address = normalization.normalize_email(address)
    if "@" not in address.strip("@") or len(address) < 5:
        raise errors.Invalid({"email": "This is not an email address."})
    if User.objects.filter(email=address).exists():
        raise errors.Invalid({"email": "This address belongs to a user of Athena. Deactivate the user in the admin."})
    return address


def _record(action: str, address: str, ran_by: str, leads: int, rows: int) -> None:
    PrivacyRequest.objects.create(
        action=action, person=hash_address(address), ran_by=ran_by[:150], leads=leads, rows=rows
    )


def _erase_leads(keys: Collection[int]) -> None:
    empty = {
        name: personal_data.get_empty_value(Lead, name)
        for name in list_text_columns(Lead)
        if name not in personal_data.KEPT_COLUMNS["sales.Lead"]
    }
    normalised = {"email_normalised": "", "phone_normalised": ""}
    Lead.objects.filter(pk__in=keys).update(
        **{**empty, **normalised, "contact_name": ERASED}, version=F("version") + 1, updated_at=timezone.now()
    )


def _erase_lead_rows(keys: Collection[int], of_others: Collection[int]) -> int:
    """Empty the rows of their leads, except other people's inquiries and the field changes that reports need."""
    rows = 0
    for model, key, columns in personal_data.list_lead_columns():
        if columns:
            own_rows = model._base_manager.filter(**{f"{key}__in": keys})
            if model is FieldChange:
                own_rows = own_rows.exclude(field__in=personal_data.KEPT_CHANGES)
            if model is Activity:
                own_rows = own_rows.exclude(pk__in=of_others)
            rows += own_rows.update(**_get_empty_values(model, columns))
    return rows


def _get_empty_values(model: type[Model], columns: Collection[str]) -> dict[str, Any]:
    return {name: personal_data.get_empty_value(model, name) for name in columns}


def _erase_inquiries(activities: Collection[int]) -> int:
    """Empty the person's inquiries in other people's leads, and the values of those before a correction."""
    columns = [
        name
        for name in list_text_columns(Activity)
        if name not in personal_data.WITHOUT_PERSONAL_DATA.get("sales.Activity", ())
    ]
    rows = Activity.objects.filter(pk__in=activities).update(**_get_empty_values(Activity, columns))
    corrections = FieldChange.objects.filter(field="activity", new__id__in=list(activities))
    return rows + corrections.update(old=None, new=None)


def _erase_merged_values(leads: Collection[Lead]) -> int:
    """Empty the values that other people's leads got from the person's leads by a merge."""
    rows = 0
    keys = {lead.pk for lead in leads}
    merged = [(lead, key) for lead in leads if (key := lead.merged_into_id) and key not in keys]
    for lead, kept_id in merged:
        about = FieldChange.objects.filter(lead=kept_id)
        rows += about.filter(field="merged", new__lead_id=lead.pk).update(old=None, new=None)
        for name in personal_data.MERGE_FILLED_FIELDS:
            value = getattr(lead, name)
            copied = about.filter(field=name, new=value) if value else about.none()
            if copied.exists():
                rows += copied.update(old=None, new=None)
                empty = {name: ERASED if name == "contact_name" else ""}
                number = {"phone_normalised": ""} if name == "phone" else {}
                Lead.objects.filter(pk=kept_id, **{name: value}).update(**empty, **number)
    search_index.index_leads(list(Lead.objects.filter(pk__in=[kept_id for _, kept_id in merged])))
    return rows


def _erase_imports(address: str, leads: Collection[Lead], mentions: Mentions) -> int:
    """Empty the import rows of the person, and replace mentions of the person in other people's import rows."""
    own_ids = list(personal_data.find_import_rows(address, leads).values_list("pk", flat=True))
    rows = ImportRow.objects.filter(pk__in=own_ids)
    rows.filter(state__in=_UNDECIDED).update(state=_Row.SKIPPED)
    count = rows.update(
        cells=[], values={}, problems={}, cleaned={}, changes=None, email_normalised="", phone_normalised=""
    )
    changed = {}
    for row in mentions.find_rows(ImportRow, personal_data.IMPORT_ROW_COLUMNS).select_related("lead_import"):
        changed[row.pk] = _replace_mentions(row, mentions, personal_data.build_address_mentions(address))
    if changed:
        update_each(ImportRow, personal_data.IMPORT_ROW_COLUMNS, changed)
    return count + len(changed)


def _replace_mentions(row: ImportRow, mentions: Mentions, address: Mentions) -> list[Any]:
    """The columns `personal_data.IMPORT_ROW_COLUMNS` of another person's row, without mentions.

    That person's own name and number stay, even if they share them.
    """
    own = personal_data.IDENTITY_COLUMNS["sales.Lead"]
    cells = [
        (address if name in own else mentions).erase_from(cell)
        for name, cell in zip_longest(row.lead_import.columns[: len(row.cells)], row.cells)
    ]
    by_field = [
        fields and {name: (address if name in own else mentions).erase_from(value) for name, value in fields.items()}
        for fields in (row.values, row.changes)
    ]
    return [cells, by_field[0], mentions.erase_from(row.problems), mentions.erase_from(row.cleaned), by_field[1]]


def _erase_stored_answers(keys: Collection[int], mentions: Mentions) -> int:
    """Delete the stored API answers about them. The requests still count as answered."""
    named = mentions.find_rows(IdempotencyKey, ("answer",)).values("pk")
    is_theirs = Q(answer__lead_id__in=list(keys)) | Q(answer__lead__in=list(keys)) | Q(pk__in=named)
    return IdempotencyKey.objects.filter(is_theirs).update(answer=None)


def _erase_admin_log(keys: Collection[int]) -> int:
    """Empty the admin's log of their rows, which contains the rows' names."""
    logged: list[tuple[Any, Collection[int]]] = [(Lead, keys)]
    logged += [
        (model, list(model._base_manager.filter(**{f"{key}__in": keys}).values_list("pk", flat=True)))
        for model, key, _ in personal_data.list_lead_columns()
    ]
    rows = 0
    for model, ids in logged:
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
        rows += entries.filter(object_id__in=[str(key) for key in ids]).update(object_repr=ERASED, change_message="")
    return rows


def _erase_mentions(address: str, mentions: Mentions) -> int:
    """Replace mentions of the person in all other text."""
    rows = 0
    for model, columns in personal_data.list_searched_columns():
        own = personal_data.IDENTITY_COLUMNS.get(model._meta.label, ())
        rows += mentions.erase_from_table(model, [name for name in columns if name not in own])
        if own:
            rows += personal_data.build_address_mentions(address).erase_from_table(model, own)
    return rows
