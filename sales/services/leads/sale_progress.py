"""What activities say of how far a lead's sale has come: contacted, quoted, and for how much.

An outbound call, e-mail or meeting contacts the client, unless nobody answered. A quote that was sent quotes the trip.
Whatever an activity changes of its lead is a `FieldChange` that names the activity. So, when the activity is corrected,
the change is taken back, and what a person has set since stays.
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
from sales.models.lead import OPEN_STATUSES
from sales.services.leads import lead_status

CONTACTS = (Activity.Type.CALL, Activity.Type.EMAIL, Activity.Type.MEETING, Activity.Type.QUOTE)
QUOTE_DATA = {
    "quote_amount": "amount",
    "quote_valid_until": "valid_until",
}  # a lead's field: the key in an activity's data
_MILESTONES = ("contacted", "qualified", "quoted")


def get_proven_stage(activity: Activity) -> str | None:
    """The stage that this activity proves: `contacted`, `quoted`, or None.

    A completed follow-up of type quote proves a quote only where it says for how much: otherwise it may have been a
    call about one.
    """
    data = activity.data or {}
    is_quote = activity.activity_type == Activity.Type.QUOTE and activity.direction != Activity.Direction.INBOUND
    if is_quote and (activity.follow_up_id is None or data.get("amount") is not None):
        return "quoted"
    outbound = activity.direction == Activity.Direction.OUTBOUND
    unanswered = data.get("outcome") == FollowUp.Outcome.NO_ANSWER
    return "contacted" if activity.activity_type in CONTACTS and outbound and not unanswered else None


def build_quote_data(activity_type: str, amount: Decimal | None, valid_until: date | None) -> dict[str, Any]:
    """An amount and the last day of its validity, as an activity's `data` holds them.

    Raises `Invalid` where the activity is no quote, and for a validity without an amount.
    """
    given = {"amount": amount, "valid_until": valid_until}
    said = [name for name, value in given.items() if value is not None]
    if said and activity_type != Activity.Type.QUOTE:
        raise errors.Invalid(dict.fromkeys(said, "Only a quote has this."))
    if said == ["valid_until"]:
        raise errors.Invalid({"amount": "Say for how much the quote is."})
    return {
        name: float(value) if isinstance(value, Decimal) else str(value)
        for name, value in given.items()
        if name in said
    }


def advance_lead(lead: Lead, activity: Activity, by: User | None) -> dict[str, Any]:
    """Let the (locked) lead come as far as a new activity says. Returns the columns that change, to be written.

    A status only goes forward, and a closed lead keeps its own.
    """
    stage = get_proven_stage(activity)
    if stage is None:
        return {}
    columns: dict[str, Any] = {}
    at = Value(activity.occurred_at)
    for name in _MILESTONES[: _MILESTONES.index(stage) + 1]:
        column = lead_status.REACHED_AT[name]
        columns[column] = Least(Coalesce(column, at), at)
    says_more = lead.is_open and lead_status.get_rank(lead.status) < lead_status.get_rank(stage)
    if says_more or (stage == "quoted" and activity.data.keys() & set(QUOTE_DATA.values())):
        columns |= _settle(lead, _log(lead), by, activity, fresh=activity.pk)
    return columns


def apply_correction(lead: Lead, activity: Activity, before: Activity, by: User | None) -> dict[str, Any]:
    """Let the (locked) lead follow a corrected activity, which was as `before`. Returns the columns that change."""
    says = [(get_proven_stage(each), each.occurred_at, each.data) for each in (before, activity)]
    stage = max((says[0][0], says[1][0]), key=lead_status.get_rank)
    if stage is None or says[0] == says[1]:
        return {}
    log = _log(lead)
    by_hand = FieldChange.objects.filter(lead=lead, field="status", activity=None).values_list("new", "at")
    columns: dict[str, Any] = {}
    for name in _MILESTONES[: _MILESTONES.index(stage) + 1]:
        column = lead_status.REACHED_AT[name]
        times = [
            each.occurred_at
            for each in log
            if lead_status.get_rank(get_proven_stage(each)) >= lead_status.get_rank(name)
        ]
        times += [at for status, at in by_hand if lead_status.get_rank(status) >= lead_status.get_rank(name)]
        known = getattr(lead, column)
        if known not in (None, before.occurred_at):  # something else said when that was
            times.append(known)
        columns[column] = min(times, default=None)
    return columns | _settle(lead, log, by, activity)


def _log(lead: Lead) -> Sequence[Activity]:
    """The activities that may prove a stage, the latest last."""
    return list(Activity.objects.filter(lead=lead, activity_type__in=CONTACTS).order_by("occurred_at", "pk"))


def _settle(
    lead: Lead, log: Sequence[Activity], by: User | None, because: Activity, fresh: int | None = None
) -> dict[str, Any]:
    """Set the status and the quote of a lead to what its log says since a person last set them.

    `fresh` is the activity that was just logged: it is later than anything.
    """
    changes = list(FieldChange.objects.filter(lead=lead, field__in=("status", *QUOTE_DATA)).order_by("-at", "-pk"))
    columns: dict[str, Any] = {}
    now = timezone.now()
    for name in ("status", *QUOTE_DATA):
        value = _plain(lead, name)
        base, since = _set_by_hand(value, [change for change in changes if change.field == name])
        later = [each for each in log if since is None or each.pk == fresh or each.created_at > since]
        new = _status(base, later) if name == "status" else _quote(base, later, QUOTE_DATA[name])
        if new == value or (name == "status" and not lead.is_open):
            continue
        columns[name] = _typed(name, new)
        setattr(lead, name, columns[name])
        if name == "status":
            lead_status.record_change(lead, value, by, now, because)
        else:
            FieldChange.objects.create(lead=lead, field=name, old=value, new=new, by=by, at=now, activity=because)
    return columns


def _set_by_hand(value: Any, changes: Sequence[FieldChange]) -> tuple[Any, datetime | None]:
    """The value that a person or a file gave last, and when (None: with the lead itself). Newest change first."""
    for place, change in enumerate(changes):
        if change.activity_id is None:
            return (change.new if place else value), change.at
        if change.new != value:
            return value, change.at
        value = change.old
    return value, None


def _status(base: str, log: Sequence[Activity]) -> str:
    stages = [stage for activity in log if (stage := get_proven_stage(activity)) is not None]
    if base not in OPEN_STATUSES:
        return base
    return max([base, *stages], key=lead_status.get_rank)


def _quote(base: Any, log: Sequence[Activity], key: str) -> Any:
    """What the latest quote says; a quote without an amount says nothing of the one before it."""
    quotes = [each.data for each in log if get_proven_stage(each) == "quoted" and each.data.get("amount") is not None]
    return quotes[-1].get(key) if quotes else base


def _plain(lead: Lead, name: str) -> Any:
    value = getattr(lead, name)
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def _typed(name: str, value: Any) -> Any:
    if value is None or name == "status":
        return value
    return Decimal(str(value)) if name == "quote_amount" else date.fromisoformat(value)


def parse_quote(data: Mapping[str, Any]) -> dict[str, Any]:
    """The amount and validity in an activity's `data`, typed; None where they are not said."""
    return {key: _typed(name, data.get(key)) for name, key in QUOTE_DATA.items()}
