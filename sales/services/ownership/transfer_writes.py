"""Moves leads from one owner to another, inside the caller's transaction; checks no permissions.

Transfers, undo and handovers all use these functions, so what moves along with a lead, what is recorded and who is
notified is defined in one place. The number of statements is the same for one lead and for ten thousand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from django.db.models import BigIntegerField, Case, CharField, F, Field, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from athena.accounts.models import User
from athena.db.bulk import IdIn, insert_select
from athena.formatting import format_date
from notifications import outbox
from notifications.kinds import UNLISTED
from sales.activity_descriptions import NOBODY, TRANSFERRED_FROM, TRANSFERRED_TO
from sales.models import Activity, FollowUp, Lead, LeadScoringRule, LeadTransfer, MovedFollowUp, TransferBatch
from sales.models.leads.lead import OPEN_STATUSES, LeadQuerySet
from sales.services.follow_ups import planning
from sales.services.scoring import scores, scoring_runs

MAX_LISTED_LEADS = 20
MAX_LEADS_RESCORED_AT_ONCE = 100

_Key = TypeVar("_Key")


class LeadRow(NamedTuple):
    """The columns of a lead that moving it needs. Building thousands of whole leads would take longer than the move."""

    pk: int
    company_name: str
    contact_name: str
    status: str
    estimated_value: Decimal | None
    assigned_to_id: int | None
    archived_at: datetime | None

    def __str__(self) -> str:
        return self.company_name or self.contact_name

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class Move(NamedTuple):
    """A lead that moves from its owner to a receiver; None is nobody."""

    lead: LeadRow
    owner: User | None
    receiver: User | None


@dataclass(frozen=True)
class ReceiverTotal:
    """How many leads a receiver (None: nobody) gets, and their estimated value together."""

    user: User | None
    lead_count: int
    value: Decimal


class StatusTotal(NamedTuple):
    """How many leads with a status move, and their estimated value together."""

    label: str
    lead_count: int
    value: Decimal


@dataclass(frozen=True)
class TransferPlan:
    """Which leads move to whom, with which follow-ups, and which leads stay, with the code of the reason."""

    moves: list[Move]
    skipped: list[tuple[int, str]]
    reassignments: list[planning.Reassignment] = field(default_factory=list)

    @property
    def lead_ids(self) -> list[int]:
        """The ids of the leads that move."""
        return [move.lead.pk for move in self.moves]

    @property
    def follow_up_count(self) -> int:
        """How many open follow-ups move with the leads."""
        return len(self.reassignments)

    @cached_property
    def moves_by_receiver(self) -> dict[int, list[Move]]:
        """The moves by the receiver's id; 0 for nobody."""
        return _group_moves(self.moves, lambda move: move.receiver.id if move.receiver else 0)

    @property
    def receiver_totals(self) -> list[ReceiverTotal]:
        """What each receiver gets, by user id."""
        groups = sorted(self.moves_by_receiver.items())
        return [ReceiverTotal(moves[0].receiver, len(moves), _sum_values(moves)) for _, moves in groups]

    @property
    def status_totals(self) -> list[StatusTotal]:
        """What moves of each status, in the order of the statuses."""
        groups = _group_moves(self.moves, lambda move: move.lead.status)
        return [
            StatusTotal(label, len(groups[status]), _sum_values(groups[status]))
            for status, label in Lead.Status.choices
            if status in groups
        ]

    @property
    def fingerprint(self) -> str:
        """A text that is the same for two plans if and only if they do the same."""
        moves = [
            (move.lead.pk, move.lead.assigned_to_id, move.receiver.pk if move.receiver else None) for move in self.moves
        ]
        reassignments = [(reassignment.follow_up_id, reassignment.to.pk) for reassignment in self.reassignments]
        parts = (moves, self.skipped, reassignments)
        return sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class TransferResult(TransferPlan):
    """A plan that was carried out, and its batch; None if nothing moved."""

    batch: TransferBatch | None = None


def read_leads(leads: LeadQuerySet, *, lock: bool) -> list[LeadRow]:
    """Read the leads by key; with `lock`, they stay locked until the transaction ends.

    The queryset must not join other tables: their rows would be locked, too.
    """
    rows = leads.select_related(None).order_by("pk")
    if lock:
        rows = rows.select_for_update(of=("self",))
    return [LeadRow(*values) for values in rows.values_list(*LeadRow._fields)]


def find_owners(leads: Iterable[LeadRow]) -> dict[int, User]:
    """The owners of these leads, by user id. One query."""
    return User.objects.in_bulk({lead.assigned_to_id for lead in leads if lead.assigned_to_id is not None})


def read_open_follow_ups(leads: Sequence[LeadRow]) -> "QuerySet[FollowUp, tuple[Any, ...]]":
    """The open follow-ups of these leads: id, lead id, date, time, assignee's id."""
    follow_ups = FollowUp.objects.open().filter(IdIn("lead_id", [lead.pk for lead in leads])).order_by("pk")
    return follow_ups.values_list("pk", "lead_id", "scheduled_date", "scheduled_time", "assigned_to_id")


def plan_follow_up_moves(moves: Sequence[Move]) -> list[planning.Reassignment]:
    """Which open follow-ups move with the leads: those of the owner, or all if nobody owns the lead."""
    moves_by_lead = {move.lead.pk: move for move in moves}
    reassignments = []
    for pk, lead_id, day, time, assignee_id in read_open_follow_ups([move.lead for move in moves]):
        move = moves_by_lead[lead_id]
        goes_with_lead = move.owner is None or assignee_id == move.lead.assigned_to_id
        if goes_with_lead and move.receiver is not None and assignee_id != move.receiver.id:
            reassignments.append(planning.Reassignment(pk, lead_id, day, time, assignee_id, move.receiver))
    return reassignments


def apply_plan(plan: TransferPlan, *, by: User | None, batch: TransferBatch, notes: str = "") -> TransferResult:
    """Move the (locked) leads and their follow-ups, record it and notify everybody concerned."""
    leads = Lead.objects.filter(IdIn("pk", plan.lead_ids))
    _record(leads, plan, batch, notes)
    if plan.reassignments:
        move_follow_ups(plan.reassignments, batch)
    leads.update(
        assigned_to=_build_receiver_ids(plan),
        version=F("version") + 1,
        updated_at=timezone.now(),
        next_follow_up_date=planning.EARLIEST_DUE,
    )
    _rescore(plan.lead_ids, by)
    _notify(plan, batch, by)
    return TransferResult(plan.moves, plan.skipped, plan.reassignments, batch)


def move_follow_ups(reassignments: Sequence[planning.Reassignment], batch: TransferBatch) -> None:
    """Give follow-ups to other users, and record who had them."""
    ids = [reassignment.follow_up_id for reassignment in reassignments]
    follow_ups = FollowUp.objects.filter(IdIn("pk", ids))
    insert_select(MovedFollowUp, follow_ups, batch=Value(batch.pk), follow_up=F("pk"), from_user=F("assigned_to"))
    planning.reassign(reassignments, by_id=batch.by_id)


def _record(leads: "QuerySet[Lead]", plan: TransferPlan, batch: TransferBatch, notes: str) -> None:
    """Write a transfer and an activity for each lead; must run before the leads get their new owner."""
    now, by_id = Value(timezone.now()), Value(batch.by_id, BigIntegerField())
    insert_select(
        LeadTransfer,
        leads,
        lead=F("pk"),
        batch=Value(batch.pk),
        from_user=F("assigned_to"),
        to_user=_build_receiver_ids(plan),
        transferred_by=by_id,
        transfer_reason=Value(batch.reason),
        notes=Value(notes),
        transferred_at=now,
    )
    old_owner = Coalesce("assigned_to__full_name", Value(NOBODY))
    new_owner = _build_value_by_receiver(plan, lambda user: f"{TRANSFERRED_TO}{user or NOBODY}", CharField())
    insert_select(
        Activity,
        leads,
        lead=F("pk"),
        activity_type=Value(Activity.Type.TRANSFER.value),
        description=Concat(Value(TRANSFERRED_FROM), old_owner, new_owner),
        notes=Value(batch.reason),
        user=by_id,
        occurred_at=now,
    )


def _build_receiver_ids(plan: TransferPlan) -> Combinable:
    return _build_value_by_receiver(plan, lambda user: user and user.pk, BigIntegerField())


def _build_value_by_receiver(
    plan: TransferPlan, get_value: Callable[[User | None], object], output: "Field[Any, Any]"
) -> Combinable:
    """An expression that gives each lead the value that `get_value` has for its receiver."""
    groups = list(plan.moves_by_receiver.values())
    values = [Value(get_value(moves[0].receiver), output) for moves in groups]
    if len(values) == 1:
        return values[0]
    cases = [
        When(IdIn("pk", [move.lead.pk for move in moves]), then=value)
        for moves, value in zip(groups, values, strict=True)
    ]
    return Case(*cases, output_field=output)


def _rescore(lead_ids: list[int], by: User | None) -> None:
    """Score the leads again if a scoring rule counts transfers: no other field depends on owners."""
    if not LeadScoringRule.objects.filter(is_active=True, condition_field="transfer_count").exists():
        return
    if len(lead_ids) <= MAX_LEADS_RESCORED_AT_ONCE:
        scores.rescore(lead_ids=lead_ids, by=by, reason="Activity: Transfer")
    else:
        scoring_runs.restart_run(by=None, reason="Leads transferred")


def _notify(plan: TransferPlan, batch: TransferBatch, by: User | None) -> None:
    """Notify each receiver and each previous owner, once each, except `by`."""
    context: Mapping[str, object] = {
        "by_name": str(by) if by else "Athena",
        "reason": batch.reason,
        "until": format_date(batch.until) if batch.until else None,
    }
    notifications = []
    for moves in plan.moves_by_receiver.values():
        names: dict[str, object] = {"from_names": sorted({str(move.owner) for move in moves if move.owner is not None})}
        recipient = moves[0].receiver
        notifications.append(_build_notification("leads_received", recipient, moves, batch, {**context, **names}))
    for moves in _group_moves(plan.moves, lambda move: move.lead.assigned_to_id).values():
        names = {"to_name": ", ".join(sorted({str(move.receiver or NOBODY) for move in moves}))}
        recipient = moves[0].owner
        notifications.append(_build_notification("leads_transferred", recipient, moves, batch, {**context, **names}))
    outbox.add_many(notification for notification in notifications if notification is not None)


def _build_notification(
    kind: str, recipient: User | None, moves: Sequence[Move], batch: TransferBatch, context: Mapping[str, object]
) -> outbox.NewNotification | None:
    """A notification about these moves; None if there is no active recipient."""
    if recipient is None or not recipient.is_active:
        return None
    listed = [{"id": move.lead.pk, "name": str(move.lead)} for move in moves[:MAX_LISTED_LEADS]]
    unlisted = [move.lead.pk for move in moves[MAX_LISTED_LEADS:]]
    return outbox.NewNotification(
        kind=kind,
        recipient_id=recipient.pk,
        dedupe_key=f"{kind.removeprefix('leads_')}:{batch.pk}:{recipient.pk}",
        context={**context, "count": len(moves), "leads": listed, UNLISTED: unlisted},
        by_id=batch.by_id,
    )


def _group_moves(moves: Iterable[Move], get_key: Callable[[Move], _Key]) -> dict[_Key, list[Move]]:
    groups: dict[_Key, list[Move]] = {}
    for move in moves:
        groups.setdefault(get_key(move), []).append(move)
    return groups


def _sum_values(moves: Iterable[Move]) -> Decimal:
    return sum((move.lead.estimated_value or Decimal(0) for move in moves), Decimal(0))
