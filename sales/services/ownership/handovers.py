"""Hands over everything that waits for a user who leaves, and deactivates the user in the same transaction.

The user's open leads are distributed, with their follow-ups. Their follow-ups on other people's leads go to the owners
of those leads, or, if no active user owns the lead, to the receivers in turn. Assignment rules that name the user name
the first receiver. Closed leads keep their owner, who made the sale.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction
from django.db.models import Q

from athena.accounts import services as accounts
from athena.accounts.models import User
from athena.db.bulk import IdIn
from notifications import outbox
from sales import errors, policy
from sales.models import AssignmentRule, FollowUp, Lead, TransferBatch
from sales.models.follow_ups.follow_up import FollowUpQuerySet
from sales.services.follow_ups import planning
from sales.services.ownership import distribution, transfer_writes, transfers
from sales.services.ownership.distribution import DistributionMethod


@dataclass(frozen=True)
class Handover:
    """What moves from the user who leaves, and to whom.

    `other_follow_ups` are those on leads that the user does not own; `rules` will name `rules_receiver`.
    """

    leaver: User
    plan: transfer_writes.TransferPlan
    other_follow_ups: list[planning.Reassignment]
    rules: list[AssignmentRule]
    rules_receiver: User | None

    @property
    def follow_up_count(self) -> int:
        """How many open follow-ups move, on the user's own leads and on others."""
        return self.plan.follow_up_count + len(self.other_follow_ups)

    @property
    def fingerprint(self) -> str:
        """A text that is the same for two handovers if and only if they do the same."""
        parts = (
            self.plan.fingerprint,
            [(reassignment.follow_up_id, reassignment.to.pk) for reassignment in self.other_follow_ups],
            [rule.pk for rule in self.rules],
            self.rules_receiver and self.rules_receiver.pk,
        )
        return sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class WaitingWork:
    """How much waits for a user; false if nothing does."""

    leads: int
    follow_ups: int
    rules: int

    def __bool__(self) -> bool:
        return bool(self.leads or self.follow_ups or self.rules)


def count_waiting_work(user: User) -> WaitingWork:
    """Count what has to be handed over before this user can be deactivated."""
    return WaitingWork(
        leads=Lead.objects.open().filter(assigned_to=user).count(),
        follow_ups=FollowUp.objects.open().filter(assigned_to=user).count(),
        rules=AssignmentRule.objects.filter(to_user=user).count(),
    )


def plan(
    *, by: User | None, user_id: int, receivers: Collection[int], method: str = DistributionMethod.IN_TURN
) -> Handover:
    """What `hand_over` would do now, with the same errors except `LeadsRemain`. Writes nothing."""
    leaver = _find_leaver(by, user_id, lock=False)
    return _build_handover(by, leaver, receivers, DistributionMethod(method), lock=False)


@transaction.atomic
def hand_over(
    *,
    by: User | None,
    user_id: int,
    receivers: Collection[int],
    method: str = DistributionMethod.IN_TURN,
    reason: str = "",
    expected: str | None = None,
) -> Handover:
    """Hand over everything that waits for a user, and deactivate the user (administrators): all of it, or nothing.

    `receivers`: user ids. `method`: how they share the leads. `expected`: the fingerprint of the handover that the
    user has seen. Raises `NotAllowed`, `NotFound`, `Invalid`, `LeadsRemain` if the receivers don't have room for all
    leads, and `StaleVersion` if the handover is no longer the expected one.
    """
    leaver = _find_leaver(by, user_id, lock=True)
    handover = _build_handover(by, leaver, receivers, DistributionMethod(method), lock=True)
    if expected is not None and handover.fingerprint != expected:
        raise errors.StaleVersion
    if handover.plan.skipped:
        lead_count = len(handover.plan.skipped)
        raise errors.LeadsRemain(
            "The receivers have no room for one of the leads. Choose more people, or raise a limit."
            if lead_count == 1
            else f"The receivers have no room for {lead_count} of the leads. Choose more people, or raise a limit."
        )
    if handover.plan.moves or handover.other_follow_ups:
        batch = TransferBatch.objects.create(by=by, reason=reason or f"{leaver} leaves")
        if handover.plan.moves:
            transfer_writes.apply_plan(handover.plan, by=by, batch=batch)
        if handover.other_follow_ups:
            _move_other_follow_ups(handover, by, batch)
    rules = AssignmentRule.objects.filter(pk__in=[rule.pk for rule in handover.rules])
    rules.update(to_user=handover.rules_receiver)
    accounts.deactivate(user_id=leaver.pk)
    return handover


def _find_leaver(by: User | None, user_id: int, *, lock: bool) -> User:
    if not policy.may_hand_over(by):
        raise errors.NotAllowed
    users = User.objects.select_for_update(no_key=True) if lock else User.objects.all()
    leaver = users.filter(pk=user_id).first()
    if leaver is None:
        raise errors.NotFound("There is no such user.")
    if by is not None and by.pk == leaver.pk:
        raise errors.Invalid({"receivers": "You can't deactivate your own account."})
    return leaver


def _build_handover(
    by: User | None, leaver: User, receiver_ids: Collection[int], method: DistributionMethod, *, lock: bool
) -> Handover:
    if leaver.pk in receiver_ids:
        raise errors.Invalid({"receivers": "Choose somebody other than the user who leaves."})
    if not receiver_ids and count_waiting_work(leaver):
        raise errors.Invalid({"receivers": "Choose who gets the user's work."})
    receivers = distribution.find_receivers(by, receiver_ids, lock=lock) if receiver_ids else []
    owned_or_followed = Q(assigned_to=leaver) | Q(pk__in=_get_open_follow_ups(leaver).values("lead"))
    # Both kinds of leads at once, so that they are locked in key order.
    transfer_writes.read_leads(Lead.objects.filter(owned_or_followed), lock=lock)
    leads = Lead.objects.open().filter(assigned_to=leaver)
    plan = (
        transfers.build_plan(by, leads, receivers, method, lock=lock)
        if receivers
        else transfer_writes.TransferPlan([], [])
    )
    rules = AssignmentRule.objects.filter(to_user=leaver).order_by("pk")
    moved_with_leads = {reassignment.follow_up_id for reassignment in plan.reassignments}
    return Handover(
        leaver=leaver,
        plan=plan,
        other_follow_ups=_plan_other_follow_ups(leaver, moved_with_leads, receivers),
        rules=list(rules.select_for_update() if lock else rules),
        rules_receiver=receivers[0] if receivers else None,
    )


def _get_open_follow_ups(leaver: User) -> FollowUpQuerySet:
    return FollowUp.objects.open().filter(assigned_to=leaver).order_by()


def _plan_other_follow_ups(
    leaver: User, moved_with_leads: Collection[int], receivers: Sequence[User]
) -> list[planning.Reassignment]:
    rows = list(
        _get_open_follow_ups(leaver)
        .order_by("pk")
        .values_list("pk", "lead_id", "scheduled_date", "scheduled_time", "lead__assigned_to")
    )
    owner_ids = {owner_id for *_, owner_id in rows if owner_id is not None}
    owners = User.objects.filter(is_active=True).exclude(pk=leaver.pk).in_bulk(owner_ids)
    remaining = [row for row in rows if row[0] not in moved_with_leads]
    return [
        planning.Reassignment(
            pk, lead_id, day, time, leaver.pk, owners.get(owner_id) or receivers[number % len(receivers)]
        )
        for number, (pk, lead_id, day, time, owner_id) in enumerate(remaining)
    ]


def _move_other_follow_ups(handover: Handover, by: User | None, batch: TransferBatch) -> None:
    transfer_writes.move_follow_ups(handover.other_follow_ups, batch)
    lead_ids = {reassignment.lead_id for reassignment in handover.other_follow_ups}
    planning.refresh_next_dates(Lead.objects.filter(IdIn("pk", sorted(lead_ids))))
    context = {"by_name": str(by) if by else "Athena", "from_name": str(handover.leaver), "reason": batch.reason}
    counts = Counter(reassignment.to.pk for reassignment in handover.other_follow_ups)
    outbox.add_many(
        outbox.NewNotification(
            kind="follow_ups_received",
            recipient_id=user_id,
            dedupe_key=f"follow_ups:{batch.pk}:{user_id}",
            context={**context, "count": count},
            by_id=batch.by_id,
        )
        for user_id, count in counts.items()
    )
