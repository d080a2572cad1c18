"""Moves a lead's status and quote forward by its activities.

An outbound call, email or meeting makes the lead contacted, unless nobody answered. A quote that was sent makes it
quoted. Each change that an activity causes is a `FieldChange` that names the activity. When the activity is corrected,
its change is taken back, and what a person has set since then stays.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from athena.accounts.models import User
from sales import errors
from sales.models import Activity, FieldChange, FollowUp, Lead
from sales.models.leads.activity import to_json_value
from sales.models.leads.lead import OPEN_STATUSES
from sales.services.leads import lead_status

CONTACTS = (Activity.Type.CALL, Activity.Type.EMAIL, Activity.Type.MEETING, Activity.Type.QUOTE)
# By field of a lead: its key in the `data` of a quote.
QUOTE_DATA = {"quote_amount": "amount", "quote_valid_until": "valid_until"}
_MILESTONES = ("contacted", "qualified", "quoted")


def get_proven_stage(activity: Activity) -> str | None:
    """The status that an activity proves: `contacted`, `quoted`, or None.

    A completed follow-up of type quote proves a quote only if it has an amount. Without one, it may have been a call
    about a quote.
    """
    data = activity.data or {}
    is_quote = activity.activity_type == Activity.Type.QUOTE and activity.direction != Activity.Direction.INBOUND
    if is_quote and (activity.follow_up_id is None or data.get("amount") is not None):
        return "quoted"
    outbound = activity.direction == Activity.Direction.OUTBOUND
    unanswered = data.get("outcome") == FollowUp.Outcome.NO_ANSWER
    return "contacted" if activity.activity_type in CONTACTS and outbound and not unanswered else None


def build_quote_data(activity_type: str, amount: Decimal | None, valid_until: date | None) -> dict[str, Any]:
    """The amount of a quote and the last day of its validity, as they are stored in an activity's `data`.

    Raises `Invalid` if the activity is not a quote, or if there is a validity without an amount.
    """
    values = {"amount": amount, "valid_until": valid_until}
    quote = {name: to_json_value(value) for name, value in values.items() if value is not None}
    if quote and activity_type != Activity.Type.QUOTE:
        raise errors.Invalid(dict.fromkeys(quote, "Only a quote can have this."))
    if quote and amount is None:
        raise errors.Invalid({"amount": "Enter the amount of the quote."})
    return quote


def advance_lead(lead: Lead, activity: Activity, by: User | None) -> dict[str, Any]:
    """Work out what a new activity changes of its (locked) lead. Returns the columns for the caller to write.

    The status only moves forward, and a closed lead keeps its status.
    """
    stage = get_proven_stage(activity)
    if stage is None:
        return {}
    columns: dict[str, Any] = {}
    at = Value(activity.occurred_at)
    for name in _MILESTONES[: _MILESTONES.index(stage) + 1]:
        column = lead_status.REACHED_AT[name]
        columns[column] = Least(Coalesce(column, at), at)
    moves_forward = lead.is_open and lead_status.get_rank(lead.status) < lead_status.get_rank(stage)
    if moves_forward or (stage == "quoted" and activity.data.keys() & set(QUOTE_DATA.values())):
        columns |= _set_status_and_quote(lead, _list_contacts(lead), by, activity, new_id=activity.pk)
    return columns


def apply_correction(lead: Lead, activity: Activity, before: Activity, by: User | None) -> dict[str, Any]:
    """Work out what a corrected activity, which was `before`, changes of its (locked) lead.

    Returns the columns for the caller to write.
    """
    old_stage, new_stage = get_proven_stage(before), get_proven_stage(activity)
    stage = max((old_stage, new_stage), key=lead_status.get_rank)
    old, new = (old_stage, before.occurred_at, before.data), (new_stage, activity.occurred_at, activity.data)
    if stage is None or old == new:
        return {}
    contacts = _list_contacts(lead)
    by_hand = FieldChange.objects.filter(lead=lead, field="status", activity=None).values_list("new", "at")
    columns: dict[str, Any] = {}
    for name in _MILESTONES[: _MILESTONES.index(stage) + 1]:
        column = lead_status.REACHED_AT[name]
        rank = lead_status.get_rank(name)
        times = [row.occurred_at for row in contacts if lead_status.get_rank(get_proven_stage(row)) >= rank]
        times += [at for status, at in by_hand if lead_status.get_rank(status) >= rank]
        known = getattr(lead, column)
        if known not in (None, before.occurred_at):  # it did not come from this activity
            times.append(known)
        columns[column] = min(times, default=None)
    return columns | _set_status_and_quote(lead, contacts, by, activity)


def _list_contacts(lead: Lead) -> Sequence[Activity]:
    """The activities that may prove a status, oldest first."""
    return list(Activity.objects.filter(lead=lead, activity_type__in=CONTACTS).order_by("occurred_at", "pk"))


def _set_status_and_quote(
    lead: Lead, contacts: Sequence[Activity], by: User | None, cause: Activity, new_id: int | None = None
) -> dict[str, Any]:
    """Set the lead's status and quote to what its activities say since a person last set them.

    `new_id` is the activity that was just logged, which counts as later than anything. Returns the changed columns.
    """
    changes = list(FieldChange.objects.filter(lead=lead, field__in=("status", *QUOTE_DATA)).order_by("-at", "-pk"))
    columns: dict[str, Any] = {}
    now = timezone.now()
    for name in ("status", *QUOTE_DATA):
        value = to_json_value(getattr(lead, name))
        base, since = _find_value_by_hand(value, [change for change in changes if change.field == name])
        later = [row for row in contacts if since is None or row.pk == new_id or row.created_at > since]
        new = _derive_status(base, later) if name == "status" else _derive_quote(base, later, QUOTE_DATA[name])
        if new == value or (name == "status" and not lead.is_open):
            continue
        columns[name] = _parse_value(name, new)
        setattr(lead, name, columns[name])
        if name == "status":
            lead_status.record_change(lead, value, by, now, cause)
        else:
            FieldChange.objects.create(lead=lead, field=name, old=value, new=new, by=by, at=now, activity=cause)
    return columns


def _find_value_by_hand(value: Any, changes: Sequence[FieldChange]) -> tuple[Any, datetime | None]:
    """The value that a person or an import set last, and when (None: when the lead was created).

    `value` is the current one, and `changes` are those of the field, newest first.
    """
    for index, change in enumerate(changes):
        if change.activity_id is None:
            return (change.new if index else value), change.at
        if change.new != value:
            return value, change.at
        value = change.old
    return value, None


def _derive_status(base: str, contacts: Sequence[Activity]) -> str:
    """The furthest status of `base` and those that the contacts prove; a closed status stays."""
    stages = [stage for activity in contacts if (stage := get_proven_stage(activity)) is not None]
    if base not in OPEN_STATUSES:
        return base
    return max([base, *stages], key=lead_status.get_rank)


def _derive_quote(base: Any, contacts: Sequence[Activity], key: str) -> Any:
    """The value of the latest quote that has an amount; `base` if there is none."""
    quotes = [row.data for row in contacts if get_proven_stage(row) == "quoted" and row.data.get("amount") is not None]
    return quotes[-1].get(key) if quotes else base


def _parse_value(name: str, value: Any) -> Any:
    """The value of a lead's field from its JSON."""
    if value is None or name == "status":
        return value
    return Decimal(str(value)) if name == "quote_amount" else date.fromisoformat(value)


def parse_quote(data: Mapping[str, Any]) -> dict[str, Any]:
    """The amount (Decimal) and validity (date) in an activity's `data`; None for each that is missing."""
    return {key: _parse_value(name, data.get(key)) for name, key in QUOTE_DATA.items()}
