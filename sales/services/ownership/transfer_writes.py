"""Leads that go from one owner to another, as rows, inside somebody's transaction: no rights are asked here.

Transfers, undoing them and handing over are made of these pieces, so that what goes with a lead, what is written about
it and who is told is said in one place. The number of statements is the same for one lead and for ten thousand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Case, CharField, F, QuerySet, Value, When
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
from sales.models.lead import OPEN_STATUSES, LeadQuerySet
from sales.services.follow_ups import planning
from sales.services.scoring import scores, scoring_runs

MAX_LISTED_LEADS = 20
MAX_LEADS_RESCORED_AT_ONCE = 100


class LeadRow(NamedTuple):
    """What moving a lead takes of it: thousands of whole leads would take longer to build than to move."""

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
    """A lead and where it goes: from its owner to another, either of which may be nobody."""

    lead: LeadRow
    owner: User | None
    to: User | None


@dataclass(frozen=True)
class ReceiverTotal:
    """What one of the receivers gets."""

    user: User | None
    leads: int
    value: Decimal


@dataclass(frozen=True)
class TransferPlan:
    """What would happen, or has: which lead goes to whom, with which follow-ups, and why others stay."""

    moves: list[Move]
    skipped: list[tuple[int, str]]
    handed: list[planning.Reassignment] = field(default_factory=list)

    @property
    def lead_ids(self) -> list[int]:
        return [move.lead.pk for move in self.moves]

    @property
    def follow_ups(self) -> int:
        return len(self.handed)

    @cached_property
    def by_receiver(self) -> dict[int, list[Move]]:
        """The moves to each receiver, by their key; to nobody: 0."""
        return _grouped(self.moves, lambda move: move.to.id if move.to else 0)

    @property
    def shares(self) -> list[ReceiverTotal]:
        """By receiver, in the order of their keys."""
        return [ReceiverTotal(moves[0].to, len(moves), _value(moves)) for _, moves in sorted(self.by_receiver.items())]

    @property
    def statuses(self) -> list[tuple[str, int, Decimal]]:
        """How many leads of each status go, and what they are estimated to be worth."""
        groups = _grouped(self.moves, lambda move: move.lead.status)
        return [
            (label, len(groups[name]), _value(groups[name])) for name, label in Lead.Status.choices if name in groups
        ]

    @property
    def fingerprint(self) -> str:
        """The same for two plans if and only if the same would happen."""
        parts = (
            [(move.lead.pk, move.lead.assigned_to_id, move.to.pk if move.to else None) for move in self.moves],
            self.skipped,
            [(each.follow_up_id, each.to.pk) for each in self.handed],
        )
        return sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class TransferResult(TransferPlan):
    """What has happened, as a batch; None where nothing moved."""

    batch: TransferBatch | None = None


def read_leads(leads: LeadQuerySet, *, locked: bool) -> list[LeadRow]:
    """The leads by key; `locked` until the transaction ends. The queryset joins no table (it would be locked, too)."""
    rows = leads.select_related(None).order_by("pk")
    if locked:
        rows = rows.select_for_update(of=("self",))
    return [LeadRow(*values) for values in rows.values_list(*LeadRow._fields)]


def find_owners(leads: Iterable[LeadRow]) -> dict[int, User]:
    return User.objects.in_bulk({lead.assigned_to_id for lead in leads if lead.assigned_to_id is not None})


def read_open_follow_ups(leads: Sequence[LeadRow]) -> "QuerySet[FollowUp, tuple[Any, ...]]":
    """The open follow-ups of these leads: key, lead, day, time, assignee."""
    those = FollowUp.objects.open().filter(IdIn("lead_id", [lead.pk for lead in leads])).order_by("pk")
    return those.values_list("pk", "lead_id", "scheduled_date", "scheduled_time", "assigned_to_id")


def plan_follow_up_moves(moves: Sequence[Move]) -> list[planning.Reassignment]:
    """What goes with the leads: their owner's open follow-ups, or anybody's where nobody owned the lead."""
    by_lead = {move.lead.pk: move for move in moves}
    handed = []
    for pk, lead_id, day, clock, assignee in read_open_follow_ups([move.lead for move in moves]):
        move = by_lead[lead_id]
        theirs = move.owner is None or assignee == move.lead.assigned_to_id
        if theirs and move.to is not None and assignee != move.to.id:
            handed.append(planning.Reassignment(pk, lead_id, day, clock, assignee, move.to))
    return handed


def apply_plan(plan: TransferPlan, *, by: User | None, batch: TransferBatch, notes: str = "") -> TransferResult:
    """Move the (locked) leads with their follow-ups, write it down and tell everybody concerned."""
    these = Lead.objects.filter(IdIn("pk", plan.lead_ids))
    _record(these, plan, batch, notes)
    if plan.handed:
        move_follow_ups(plan.handed, batch)
    these.update(
        assigned_to=_receiver(plan, lambda to: to and to.pk, BigIntegerField()),
        version=F("version") + 1,
        updated_at=timezone.now(),
        next_follow_up_date=planning.EARLIEST_DUE,
    )
    _rescore(plan.lead_ids, by)
    _tell(plan, batch, by)
    return TransferResult(plan.moves, plan.skipped, plan.handed, batch)


def move_follow_ups(handed: Sequence[planning.Reassignment], batch: TransferBatch) -> None:
    """Give follow-ups to others, and remember whose they were."""
    those = FollowUp.objects.filter(IdIn("pk", [each.follow_up_id for each in handed]))
    insert_select(MovedFollowUp, those, batch=Value(batch.pk), follow_up=F("pk"), from_user=F("assigned_to"))
    planning.reassign(handed, by_id=batch.by_id)


def _record(leads: "QuerySet[Lead]", plan: TransferPlan, batch: TransferBatch, notes: str) -> None:
    """A transfer and an activity for each lead, while it still has its old owner."""
    now, actor = Value(timezone.now()), Value(batch.by_id, BigIntegerField())
    insert_select(
        LeadTransfer,
        leads,
        lead=F("pk"),
        batch=Value(batch.pk),
        from_user=F("assigned_to"),
        to_user=_receiver(plan, lambda to: to and to.pk, BigIntegerField()),
        transferred_by=actor,
        transfer_reason=Value(batch.reason),
        notes=Value(notes),
        transferred_at=now,
    )
    old_owner = Coalesce("assigned_to__full_name", Value(NOBODY))
    new_owner = _receiver(plan, lambda to: f"{TRANSFERRED_TO}{to or NOBODY}", CharField())
    insert_select(
        Activity,
        leads,
        lead=F("pk"),
        activity_type=Value(Activity.Type.TRANSFER.value),
        description=Concat(Value(TRANSFERRED_FROM), old_owner, new_owner),
        notes=Value(batch.reason),
        user=actor,
        occurred_at=now,
    )


def _receiver(plan: TransferPlan, said: Callable[[User | None], Any], output: Any) -> Combinable:
    """What is said of each lead's receiver, as an expression."""
    values = [Value(said(moves[0].to), output) for moves in plan.by_receiver.values()]
    if len(values) == 1:
        return values[0]
    keys = [[move.lead.pk for move in each] for each in plan.by_receiver.values()]
    return Case(
        *(When(IdIn("pk", these), then=value) for these, value in zip(keys, values, strict=True)),
        output_field=output,
    )


def _rescore(lead_ids: list[int], by: User | None) -> None:
    """A scoring rule may count the transfers of a lead; nothing else about owners can be asked."""
    if not LeadScoringRule.objects.filter(is_active=True, condition_field="transfer_count").exists():
        return
    if len(lead_ids) <= MAX_LEADS_RESCORED_AT_ONCE:
        scores.rescore(lead_ids=lead_ids, by=by, reason="Activity: Transfer")
    else:
        scoring_runs.restart_run(by=None, reason="Leads transferred")


def _tell(plan: TransferPlan, batch: TransferBatch, by: User | None) -> None:
    """One message for each receiver and one for each previous owner, but none about what one did oneself."""
    shared: Mapping[str, object] = {
        "by_name": str(by) if by else "Athena",
        "reason": batch.reason,
        "until": format_date(batch.until) if batch.until else None,
    }
    messages = []
    for moves in plan.by_receiver.values():
        names = sorted({str(move.owner) for move in moves if move.owner is not None})
        messages.append(_message("leads_received", moves[0].to, moves, batch, {**shared, "from_names": names}))
    for moves in _grouped(plan.moves, lambda move: move.lead.assigned_to_id).values():
        to_name = ", ".join(sorted({str(move.to or "nobody") for move in moves}))
        messages.append(_message("leads_transferred", moves[0].owner, moves, batch, {**shared, "to_name": to_name}))
    outbox.add_many(message for message in messages if message and (by is None or message.recipient_id != by.pk))


def _message(
    kind: str, to: User | None, moves: Sequence[Move], batch: TransferBatch, context: Mapping[str, object]
) -> outbox.NewNotification | None:
    if to is None or not to.is_active:
        return None
    sample = [{"id": move.lead.pk, "name": str(move.lead)} for move in moves[:MAX_LISTED_LEADS]]
    unlisted = [move.lead.pk for move in moves[MAX_LISTED_LEADS:]]
    key = f"{kind.removeprefix('leads_')}:{batch.pk}:{to.pk}"
    context = {**context, "count": len(moves), "leads": sample, UNLISTED: unlisted}
    return outbox.NewNotification(kind, to.pk, key, context)


def _grouped(moves: Iterable[Move], key: Callable[[Move], Any]) -> dict[Any, list[Move]]:
    groups: dict[Any, list[Move]] = {}
    for move in moves:
        groups.setdefault(key(move), []).append(move)
    return groups


def _value(moves: Iterable[Move]) -> Decimal:
    return sum((move.lead.estimated_value or Decimal(0) for move in moves), Decimal(0))
