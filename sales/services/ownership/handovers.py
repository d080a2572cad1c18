"""Somebody leaves: what waits for them goes to others, and then, in the same transaction, their account ends.

Their open leads are shared out with their follow-ups. Their follow-ups on others' leads go to those leads' owners, or,
where nobody active owns the lead, to the receivers in turn. Assignment rules that name them name the first receiver.
Closed leads keep their owner: the sale was theirs.
"""

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
from sales.models.follow_up import FollowUpQuerySet
from sales.services.follow_ups import planning
from sales.services.ownership import distribution, transfer_writes, transfers
from sales.services.ownership.distribution import DistributionMethod


@dataclass(frozen=True)
class Handover:
    """What goes from the one who leaves to whom; `elsewhere` are follow-ups on leads that stay where they are."""

    leaver: User
    plan: transfer_writes.TransferPlan
    elsewhere: list[planning.Reassignment]
    rules: list[AssignmentRule]
    rules_to: User | None

    @property
    def fingerprint(self) -> str:
        parts = (
            self.plan.fingerprint,
            [(each.follow_up_id, each.to.pk) for each in self.elsewhere],
            [rule.pk for rule in self.rules],
            self.rules_to and self.rules_to.pk,
        )
        return sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True)
class WaitingWork:
    """What waits for somebody, in numbers."""

    leads: int
    follow_ups: int
    rules: int

    def __bool__(self) -> bool:
        return bool(self.leads or self.follow_ups or self.rules)


def count_waiting_work(user: User) -> WaitingWork:
    """What has to be handed over before this user can be deactivated."""
    return WaitingWork(
        leads=Lead.objects.open().filter(assigned_to=user).count(),
        follow_ups=FollowUp.objects.open().filter(assigned_to=user).count(),
        rules=AssignmentRule.objects.filter(to_user=user).count(),
    )


def plan(
    *, by: User | None, user_id: int, receivers: Collection[int], way: str = DistributionMethod.IN_TURN
) -> Handover:
    """What `hand_over` would do now; writes nothing. Raises as it does, but not for want of room."""
    return _plan(by, _leaver(by, user_id, locked=False), receivers, DistributionMethod(way), locked=False)


@transaction.atomic
def hand_over(
    *,
    by: User | None,
    user_id: int,
    receivers: Collection[int],
    way: str = DistributionMethod.IN_TURN,
    reason: str = "",
    expected: str | None = None,
) -> Handover:
    """Hand everything over and deactivate the user (administrators); all of it, or nothing.

    Raises `NotAllowed`, `NotFound`, `Invalid`; `LeadsRemain` where the receivers have no room for all leads; `Changed`
    where not `expected` (a handover's fingerprint) would happen.
    """
    leaver = _leaver(by, user_id, locked=True)
    done = _plan(by, leaver, receivers, DistributionMethod(way), locked=True)
    if expected is not None and done.fingerprint != expected:
        raise errors.StaleVersion
    if done.plan.skipped:
        raise errors.LeadsRemain(f"{len(done.plan.skipped)} leads don't fit. Choose more people, or raise a limit.")
    if done.plan.moves or done.elsewhere:
        batch = TransferBatch.objects.create(by=by, reason=reason or f"{leaver} leaves")
        if done.plan.moves:
            transfer_writes.apply_plan(done.plan, by=by, batch=batch)
        _hand_over_elsewhere(done, by, batch)
    AssignmentRule.objects.filter(pk__in=[rule.pk for rule in done.rules]).update(to_user=done.rules_to)
    accounts.deactivate(user_id=leaver.pk)
    return done


def _leaver(by: User | None, user_id: int, *, locked: bool) -> User:
    if not policy.may_hand_over(by):
        raise errors.NotAllowed
    users = User.objects.select_for_update(no_key=True) if locked else User.objects.all()
    leaver = users.filter(pk=user_id).first()
    if leaver is None:
        raise errors.NotFound("There is no such user.")
    if by is not None and by.pk == leaver.pk:
        raise errors.Invalid({"receivers": "Nobody deactivates their own account."})
    return leaver


def _plan(
    by: User | None, leaver: User, receivers: Collection[int], way: DistributionMethod, *, locked: bool
) -> Handover:
    if leaver.pk in receivers:
        raise errors.Invalid({"receivers": "Choose others than the one who leaves."})
    if not receivers and count_waiting_work(leaver):
        raise errors.Invalid({"receivers": "Say who gets what waits for them."})
    people = distribution.find_receivers(by, receivers, locked=locked) if receivers else []
    theirs = Q(assigned_to=leaver) | Q(pk__in=_open_follow_ups(leaver).values("lead"))
    transfer_writes.read_leads(Lead.objects.filter(theirs), locked=locked)  # all at once, so in key order
    leads = Lead.objects.open().filter(assigned_to=leaver)
    plan = (
        transfers.build_plan(by, leads, people, way, locked=locked) if people else transfer_writes.TransferPlan([], [])
    )
    rules = AssignmentRule.objects.filter(to_user=leaver).order_by("pk")
    return Handover(
        leaver,
        plan,
        _elsewhere(leaver, {handed.follow_up_id for handed in plan.handed}, people),
        list(rules.select_for_update() if locked else rules),
        people[0] if people else None,
    )


def _open_follow_ups(leaver: User) -> FollowUpQuerySet:
    return FollowUp.objects.open().filter(assigned_to=leaver).order_by()


def _elsewhere(leaver: User, handed: Collection[int], people: Sequence[User]) -> list[planning.Reassignment]:
    rows = list(
        _open_follow_ups(leaver)
        .order_by("pk")
        .values_list("pk", "lead_id", "scheduled_date", "scheduled_time", "lead__assigned_to")
    )
    owners = User.objects.filter(is_active=True).exclude(pk=leaver.pk).in_bulk({row[4] for row in rows if row[4]})
    left = [row for row in rows if row[0] not in handed]
    return [
        planning.Reassignment(pk, lead_id, day, clock, leaver.pk, owners.get(owner_id) or people[place % len(people)])
        for place, (pk, lead_id, day, clock, owner_id) in enumerate(left)
    ]


def _hand_over_elsewhere(done: Handover, by: User | None, batch: TransferBatch) -> None:
    if not done.elsewhere:
        return
    transfer_writes.move_follow_ups(done.elsewhere, batch)
    leads = {each.lead_id for each in done.elsewhere}
    planning.refresh_next_dates(Lead.objects.filter(IdIn("pk", sorted(leads))))
    counts: dict[int, int] = {}
    for each in done.elsewhere:
        counts[each.to.pk] = counts.get(each.to.pk, 0) + 1
    said = {"by_name": str(by) if by else "Athena", "from_name": str(done.leaver), "reason": batch.reason}
    outbox.add_many(
        outbox.NewNotification("follow_ups_received", pk, f"follow_ups:{batch.pk}:{pk}", {**said, "count": count})
        for pk, count in counts.items()
        if by is None or pk != by.pk
    )
