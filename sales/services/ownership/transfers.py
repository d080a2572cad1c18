"""Moving leads to another owner: one or many, to one person or several, planned or done, always whole.

A transfer takes a fixed number of statements whatever the number of leads. It locks the receivers, then the leads, each
in key order, so that two managers' overlapping transfers follow one another instead of meeting.
"""

from collections.abc import Collection
from datetime import date

from django.db import transaction

from athena.accounts.models import User
from sales import errors, policy, schedule
from sales.models import TransferBatch
from sales.models.lead import LeadQuerySet
from sales.services.ownership import distribution, transfer_writes
from sales.services.ownership.distribution import DistributionMethod
from sales.services.ownership.transfer_writes import Move, TransferPlan, TransferResult

__all__ = ["DistributionMethod", "TransferPlan", "TransferResult", "build_plan", "plan", "transfer"]


def plan(
    *,
    by: User | None,
    leads: LeadQuerySet,
    to_user_id: int | None = None,
    receivers: Collection[int] = (),
    way: str = DistributionMethod.IN_TURN,
    until: date | None = None,
) -> TransferPlan:
    """What `transfer` would do now; writes nothing. Raises as `transfer` does."""
    _check_until(until)
    people = _receivers(by, to_user_id, receivers)
    return build_plan(by, leads, people, DistributionMethod(way))


@transaction.atomic
def transfer(
    *,
    by: User | None,
    leads: LeadQuerySet,
    to_user_id: int | None = None,
    receivers: Collection[int] = (),
    way: str = DistributionMethod.IN_TURN,
    reason: str = "",
    notes: str = "",
    until: date | None = None,
    expected: str | None = None,
) -> TransferResult:
    """Give these leads to somebody, or share them out, with their open follow-ups; tell everybody concerned.

    Open follow-ups assigned to the old owner move (all of an unowned lead's), and remind their new assignee. Skipped,
    with a code, are leads that are a receiver's already, that `by` may not give away, and that nobody has room for.
    Only what `by` can see counts. `until`, a company date, is the last day; then Athena gives back what is still open.
    Raises `NotFound` for an unknown receiver, `Invalid` for an inactive one or a past `until`, `ReceiverNotAllowed`;
    `Changed` where not `expected` (a plan's fingerprint) would happen.
    """
    _check_until(until)
    people = _receivers(by, to_user_id, receivers, locked=True)
    done = build_plan(by, leads, people, DistributionMethod(way), locked=True)
    if expected is not None and done.fingerprint != expected:
        raise errors.StaleVersion
    if not done.moves:
        return TransferResult([], done.skipped)
    batch = TransferBatch.objects.create(by=by, reason=reason, until=until)
    return transfer_writes.apply_plan(done, by=by, batch=batch, notes=notes)


def _check_until(until: date | None) -> None:
    if until is not None and until < schedule.company_today():
        raise errors.Invalid({"until": "This day is over."})


def _receivers(by: User | None, one: int | None, several: Collection[int], *, locked: bool = False) -> list[User]:
    if one is not None:
        return distribution.find_receivers(by, [one], "to_user_id", locked=locked)
    if not several:
        raise errors.Invalid({"receivers": "Say who gets the leads."})
    return distribution.find_receivers(by, several, locked=locked)


def build_plan(
    by: User | None, leads: LeadQuerySet, people: list[User], way: DistributionMethod, *, locked: bool = False
) -> TransferPlan:
    """Who of these (checked) people gets which lead; `locked` as for moving them in the same transaction."""
    visible = leads.filter(archived_at__isnull=True) if by is None else leads.visible_to(by)
    turn = distribution.get_turn(distribution.get_group_name(people), locked=locked) if len(people) > 1 else None
    owned = {user.pk for user in people}
    free, skipped = [], []
    for lead in transfer_writes.read_leads(visible, locked=locked):
        if lead.assigned_to_id in owned:
            skipped.append((lead.pk, "already_owner"))
        elif not policy.may_change_lead(by, lead):
            skipped.append((lead.pk, errors.NotYourLead.code))
        else:
            free.append(lead)
    dealt = distribution.distribute(free, distribution.get_workloads(people), way, turn.last_user_id if turn else None)
    owners = transfer_writes.find_owners(free)
    going = [
        Move(lead, owners.get(lead.assigned_to_id or 0), dealt.receivers[lead.pk])
        for lead in free
        if lead.pk in dealt.receivers
    ]
    skipped += [(lead.pk, errors.NoCapacity.code) for lead in free if lead.pk not in dealt.receivers]
    if locked and turn is not None and going:
        turn.last_user_id = dealt.last_id
        turn.save(update_fields=["last_user"])
    return TransferPlan(going, sorted(skipped), transfer_writes.plan_follow_up_moves(going))
