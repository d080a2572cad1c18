"""Distributes leads among receivers: who gets which lead. Moves no lead itself.

*In turn*: whose turn it is in a group of users is a row, so the turn goes on from one batch to the next, and nobody
gets the first lead each time because they have been here longest. *Fewest open*: a lead goes to whoever has the fewest
open leads, counting those of this batch; on a tie, in turn. Nobody gets more open leads than their limit
(`User.max_open_leads`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from django.db.models import Count

from athena.accounts.models import User
from sales import errors, policy
from sales.models import Lead, Turn


class DistributedLead(Protocol):
    """A lead that is distributed: the model, or any row with these attributes."""

    @property
    def pk(self) -> int: ...

    @property
    def is_open(self) -> bool: ...


class DistributionMethod(StrEnum):
    """How several receivers share the leads."""

    IN_TURN = "in_turn"
    FEWEST_OPEN = "fewest_open"


@dataclass
class Workload:
    """A receiver's leads: the open ones from before, and those received in this distribution."""

    user: User
    open_before: int
    received: int = 0
    received_open: int = 0

    @property
    def open_leads(self) -> int:
        """The open leads now."""
        return self.open_before + self.received_open

    @property
    def load(self) -> int:
        """What "fewest open" compares: the open leads from before and all received ones, open or closed."""
        return self.open_before + self.received

    def has_room_for(self, lead: DistributedLead) -> bool:
        """Whether the receiver may have this lead within their limit. Closed leads don't count."""
        limit = self.user.max_open_leads
        return limit is None or not lead.is_open or self.open_leads < limit

    def receive(self, lead: DistributedLead) -> None:
        """Count a lead that the receiver gets."""
        self.received += 1
        self.received_open += lead.is_open


@dataclass
class Distribution:
    """Who gets each lead, by lead id, and the user who got the last one in turn."""

    last_receiver_id: int | None
    receivers: dict[int, User] = field(default_factory=dict)


def distribute(
    leads: Iterable[DistributedLead],
    workloads: Sequence[Workload],
    method: DistributionMethod,
    last_receiver_id: int | None,
) -> Distribution:
    """Distribute the leads, in their order; the turn begins after `last_receiver_id`.

    A lead that nobody has room for is left out.
    """
    distribution = Distribution(last_receiver_id)
    in_order = sorted(
        workloads,
        key=lambda workload: (
            last_receiver_id is not None and workload.user.pk <= last_receiver_id,
            workload.user.pk,
        ),
    )
    for lead in leads:
        with_room = [workload for workload in in_order if workload.has_room_for(lead)]
        if not with_room:
            continue
        is_in_turn = method == DistributionMethod.IN_TURN
        receiver = with_room[0] if is_in_turn else min(with_room, key=lambda workload: workload.load)
        receiver.receive(lead)
        distribution.receivers[lead.pk] = receiver.user
        distribution.last_receiver_id = receiver.user.pk
        if is_in_turn:
            next_index = in_order.index(receiver) + 1
            in_order = in_order[next_index:] + in_order[:next_index]
    return distribution


def find_receivers(
    by: User | None, user_ids: Collection[int], field_name: str = "receivers", *, lock: bool = False
) -> list[User]:
    """The active users with these ids, to whom `by` may give leads, by key.

    With `lock`, they stay active until the transaction ends. Raises `NotFound`, `ReceiverNotAllowed`, and
    `Invalid` for the field `field_name` if a user is not active.
    """
    users = User.objects.order_by("pk")
    if lock:
        users = users.select_for_update(no_key=True)
    receivers = list(users.filter(pk__in=set(user_ids)))
    if len(receivers) < len(set(user_ids)):
        raise errors.NotFound("There is no such user.")
    inactive = ", ".join(str(user) for user in receivers if not user.is_active)
    if inactive:
        message = "This user is not active." if len(receivers) == 1 else f"These users are not active: {inactive}."
        raise errors.Invalid({field_name: message})
    if User.objects.filter(policy.get_receiver_filter(by), pk__in=set(user_ids)).count() < len(receivers):
        raise errors.ReceiverNotAllowed
    return receivers


def get_workloads(users: Iterable[User]) -> list[Workload]:
    """Each user's workload before a distribution. One query."""
    users = list(users)
    open_leads = Lead.objects.open().filter(assigned_to__in=[user.pk for user in users]).order_by()
    counts = dict(open_leads.values_list("assigned_to").annotate(Count("pk")))
    return [Workload(user, counts.get(user.pk, 0)) for user in users]


def get_group_name(users: Iterable[User]) -> str:
    """The name of the turn of these users, in whatever order they are given."""
    return sha256(",".join(str(pk) for pk in sorted(user.pk for user in users)).encode()).hexdigest()


def get_turn(group: str, *, lock: bool) -> Turn:
    """The turn of a group: a new one if the group has none. With `lock`, locked until the transaction ends."""
    turns = Turn.objects.all()
    if lock:
        Turn.objects.bulk_create([Turn(group=group)], ignore_conflicts=True)
        turns = turns.select_for_update()
    return turns.filter(group=group).first() or Turn(group=group)
