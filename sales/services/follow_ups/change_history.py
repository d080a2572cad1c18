"""The history of changed follow-ups: one row for each change, with the old and the new values and its author.

The row is a `FieldChange` of the lead with the field "follow_up". Its `old` and `new` hold the follow-up's `id`, in
`old` also its type, date and time under `was`, and those of `FIELDS` that have changed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, F, OuterRef, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, JSONObject

from athena.accounts.models import User
from athena.db.bulk import IdIn, insert_select
from sales.models import FieldChange, FollowUp

FIELD = "follow_up"
_WAS = ("follow_up_type", "scheduled_date", "scheduled_time")
FIELDS = (*_WAS, "notes", "assigned_to", "assigned_to_name")


def take_snapshot(follow_up: FollowUp) -> dict[str, Any]:
    """The current plan of a follow-up, as JSON."""
    day, clock = follow_up.scheduled_date, follow_up.scheduled_time
    return {
        "follow_up_type": str(follow_up.follow_up_type),
        "scheduled_date": day.isoformat(),
        "scheduled_time": clock.isoformat() if clock else None,
        "notes": follow_up.notes,
        "assigned_to": follow_up.assigned_to_id,
        "assigned_to_name": str(follow_up.assigned_to),
    }


def keep_first_plan(follow_up: FollowUp) -> dict[str, Any]:
    """Take a snapshot of a follow-up before it changes.

    In a row that plain SQL wrote, without its first plan, the snapshot becomes the first plan. The caller saves it.
    """
    snapshot = take_snapshot(follow_up)
    if follow_up.planned is None:
        follow_up.planned = snapshot
    follow_up.first_scheduled_date = follow_up.first_scheduled_date or follow_up.scheduled_date
    return snapshot


def record_change(follow_up: FollowUp, before: Mapping[str, Any], *, by: User | None, at: datetime) -> None:
    """Record how a follow-up differs from its snapshot `before`, if it does."""
    now = take_snapshot(follow_up)
    changed = [name for name in FIELDS if before[name] != now[name]]
    if not changed:
        return
    FieldChange.objects.create(
        lead=follow_up.lead,
        field=FIELD,
        old={"id": follow_up.pk, "was": {name: before[name] for name in _WAS}, **{n: before[n] for n in changed}},
        new={"id": follow_up.pk, **{name: now[name] for name in changed}},
        by=by,
        at=at,
    )


def record_reassignments(receivers: Mapping[int, User], *, by_id: int | None, at: datetime) -> None:
    """Record the new assignees of many follow-ups, before the rows change. `receivers` is by follow-up id.

    Keeps first plans as `keep_first_plan` does. Two statements.
    """
    ids_by_receiver: dict[User, list[int]] = {}
    for follow_up_id, user in receivers.items():
        ids_by_receiver.setdefault(user, []).append(follow_up_id)
    if not ids_by_receiver:
        return
    follow_ups = FollowUp.objects.filter(IdIn("pk", list(receivers)))
    was = {
        "follow_up_type": "follow_up_type",
        "scheduled_date": Cast("scheduled_date", TextField()),
        "scheduled_time": Cast("scheduled_time", TextField()),
    }
    assignee = {
        "assigned_to": "assigned_to_id",
        "assigned_to_name": Subquery(User.objects.filter(pk=OuterRef("assigned_to")).values("full_name")),
    }
    follow_ups.filter(planned__isnull=True).update(
        planned=JSONObject(**was, notes="notes", **assignee),
        first_scheduled_date=Coalesce("first_scheduled_date", "scheduled_date"),
    )
    new = [
        (ids, JSONObject(id="pk", assigned_to=Value(user.pk), assigned_to_name=Value(str(user), TextField())))
        for user, ids in ids_by_receiver.items()
    ]
    insert_select(
        FieldChange,
        follow_ups,
        lead=F("lead_id"),
        field=Value(FIELD),
        old=JSONObject(id="pk", was=JSONObject(**was), **assignee),
        new=Case(*(When(IdIn("pk", ids), then=value) for ids, value in new)),
        by=Value(by_id, BigIntegerField()),
        at=Value(at),
    )
