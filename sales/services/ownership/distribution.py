"""Who gets which lead, where there are several to choose from. No lead is moved here.

In turn: the turn of a group of people is a row, so that it goes on from one batch to the next, and nobody gets the
first lead each time because they have been there longest. Fewest open: whoever has fewest open leads, where what the
batch gives counts; among equals it goes in turn. Nobody gets more open leads than they may have (`max_open_leads`).
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
    """What is known of a lead that is shared out."""

    @property
    def pk(self) -> int: ...

    @property
    def is_open(self) -> bool: ...


class DistributionMethod(StrEnum):
    IN_TURN = "in_turn"
    FEWEST_OPEN = "fewest_open"


@dataclass
class Workload:
    """What somebody has, and may have, while leads are dealt."""

    user: User
    open_before: int
    given: int = 0
    given_open: int = 0

    @property
    def open_leads(self) -> int:
        return self.open_before + self.given_open

    @property
    def load(self) -> int:
        return self.open_before + self.given

    def has_room_for(self, lead: DistributedLead) -> bool:
        most = self.user.max_open_leads
        return most is None or not lead.is_open or self.open_leads < most

    def take(self, lead: DistributedLead) -> None:
        self.given += 1
        self.given_open += lead.is_open


@dataclass
class Distribution:
    """To whom each lead goes (by its id), and whose turn it was last."""

    last_id: int | None
    receivers: dict[int, User] = field(default_factory=dict)


def distribute(
    leads: Iterable[DistributedLead], hands: Sequence[Workload], way: DistributionMethod, last_id: int | None
) -> Distribution:
    """Share the leads out, in their order. A lead that nobody has room for is in nobody's hand."""
    dealt = Distribution(last_id)
    order = sorted(hands, key=lambda hand: (last_id is not None and hand.user.pk <= last_id, hand.user.pk))
    for lead in leads:
        able = [hand for hand in order if hand.has_room_for(lead)]
        if not able:
            continue
        hand = able[0] if way == DistributionMethod.IN_TURN else min(able, key=lambda each: each.load)
        hand.take(lead)
        dealt.receivers[lead.pk], dealt.last_id = hand.user, hand.user.pk
        if way == DistributionMethod.IN_TURN:
            place = order.index(hand) + 1
            order = order[place:] + order[:place]
    return dealt


def find_receivers(
    by: User | None, ids: Collection[int], name: str = "receivers", *, locked: bool = False
) -> list[User]:
    """The active users to whom `by` may give leads, by key; `locked`, they stay active until the transaction ends.

    Raises `NotFound`, `Invalid` (naming the field `name`), `ReceiverNotAllowed`.
    """
    people = User.objects.order_by("pk")
    if locked:
        people = people.select_for_update(no_key=True)
    found = list(people.filter(pk__in=set(ids)))
    if len(found) < len(set(ids)):
        raise errors.NotFound("There is no such user.")
    gone = ", ".join(str(user) for user in found if not user.is_active)
    if gone:
        raise errors.Invalid({name: "This user is not active." if len(found) == 1 else f"Not active: {gone}."})
    if User.objects.filter(policy.get_receiver_filter(by), pk__in=set(ids)).count() < len(found):
        raise errors.ReceiverNotAllowed
    return found


def get_workloads(people: Iterable[User]) -> list[Workload]:
    """What each of them has now."""
    people = list(people)
    owned = Lead.objects.open().filter(assigned_to__in=[user.pk for user in people]).order_by()
    counts = dict(owned.values_list("assigned_to").annotate(Count("pk")))
    return [Workload(user, counts.get(user.pk, 0)) for user in people]


def get_group_name(people: Iterable[User]) -> str:
    """The name of the turn of these people, in whatever order they are named."""
    return sha256(",".join(str(pk) for pk in sorted(user.pk for user in people)).encode()).hexdigest()


def get_turn(group: str, *, locked: bool) -> Turn:
    """Whose turn it was last in a group; `locked` until the transaction ends, so that nobody else takes the next."""
    turns = Turn.objects.all()
    if locked:
        Turn.objects.bulk_create([Turn(group=group)], ignore_conflicts=True)
        turns = turns.select_for_update()
    return turns.filter(group=group).first() or Turn(group=group)
