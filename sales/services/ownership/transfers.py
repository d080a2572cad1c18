"""Transfers leads to other owners: one lead or many, to one user or several, as a preview or for real.

A transfer takes a fixed number of statements, whatever the number of leads. It locks the receivers, then the leads,
each in key order, so two transfers of the same leads wait for each other and never deadlock.
"""

from collections.abc import Collection
from datetime import date

from django.db import transaction

from athena.accounts.models import User
from sales import errors, policy, schedule
from sales.models import TransferBatch
from sales.models.leads.lead import LeadQuerySet
from sales.services.ownership import distribution, transfer_writes
from sales.services.ownership.distribution import DistributionMethod
from sales.services.ownership.transfer_writes import Move, TransferPlan, TransferResult

ALREADY_OWNER = "already_owner"


def plan(
    *,
    by: User | None,
    leads: LeadQuerySet,
    to_user_id: int | None = None,
    receivers: Collection[int] = (),
    method: str = DistributionMethod.IN_TURN,
    until: date | None = None,
) -> TransferPlan:
    """What `transfer` would do now, with the same arguments and errors. Writes nothing."""
    _check_until(until)
    users = _find_receivers(by, to_user_id, receivers)
    return build_plan(by, leads, users, DistributionMethod(method))


@transaction.atomic
def transfer(
    *,
    by: User | None,
    leads: LeadQuerySet,
    to_user_id: int | None = None,
    receivers: Collection[int] = (),
    method: str = DistributionMethod.IN_TURN,
    reason: str = "",
    notes: str = "",
    until: date | None = None,
    expected: str | None = None,
) -> TransferResult:
    """Give leads, with their open follow-ups, to a user or to several, and notify everybody concerned.

    The owner's open follow-ups move along; of an unassigned lead, all do. Leads that `by` can't see are left out. The
    result lists as skipped, with a code, the leads that belong to a receiver already, that `by` may not give away, and
    that no receiver has room for.

    `to_user_id` or `receivers`: user ids. `method`: how several receivers share the leads. `until`: the last day, on
    the company's calendar, after which Athena returns the leads that are still open. `expected`: the fingerprint of the
    plan that the user has seen.

    Raises `NotFound` for an unknown receiver, `Invalid` for an inactive one or a past `until`, `ReceiverNotAllowed`,
    and `StaleVersion` if the plan is no longer the expected one.
    """
    _check_until(until)
    users = _find_receivers(by, to_user_id, receivers, lock=True)
    plan = build_plan(by, leads, users, DistributionMethod(method), lock=True)
    if expected is not None and plan.fingerprint != expected:
        raise errors.StaleVersion
    if not plan.moves:
        return TransferResult([], plan.skipped)
    batch = TransferBatch.objects.create(by=by, reason=reason, until=until)
    return transfer_writes.apply_plan(plan, by=by, batch=batch, notes=notes)


def build_plan(
    by: User | None, leads: LeadQuerySet, receivers: list[User], method: DistributionMethod, *, lock: bool = False
) -> TransferPlan:
    """Plan which of these (checked) receivers gets which lead.

    With `lock`, the leads stay locked until the transaction ends, and the turn goes on to the next receiver.
    """
    visible = leads.filter(archived_at__isnull=True) if by is None else leads.visible_to(by)
    turn = distribution.get_turn(distribution.get_group_name(receivers), lock=lock) if len(receivers) > 1 else None
    receiver_ids = {user.pk for user in receivers}
    movable, skipped = [], []
    for lead in transfer_writes.read_leads(visible, lock=lock):
        if lead.assigned_to_id in receiver_ids:
            skipped.append((lead.pk, ALREADY_OWNER))
        elif not policy.may_change_lead(by, lead):
            skipped.append((lead.pk, errors.NotYourLead.code))
        else:
            movable.append(lead)
    workloads = distribution.get_workloads(receivers)
    result = distribution.distribute(movable, workloads, method, turn.last_user_id if turn else None)
    owners = transfer_writes.find_owners(movable)
    moves = [
        Move(lead, owners.get(lead.assigned_to_id or 0), result.receivers[lead.pk])
        for lead in movable
        if lead.pk in result.receivers
    ]
    skipped += [(lead.pk, errors.NoCapacity.code) for lead in movable if lead.pk not in result.receivers]
    if lock and turn is not None and moves:
        turn.last_user_id = result.last_receiver_id
        turn.save(update_fields=["last_user"])
    return TransferPlan(moves, sorted(skipped), transfer_writes.plan_follow_up_moves(moves))


def _check_until(until: date | None) -> None:
    if until is not None and until < schedule.company_today():
        raise errors.Invalid({"until": "This date is in the past."})


def _find_receivers(
    by: User | None, to_user_id: int | None, receivers: Collection[int], *, lock: bool = False
) -> list[User]:
    if to_user_id is not None:
        return distribution.find_receivers(by, [to_user_id], "to_user_id", lock=lock)
    if not receivers:
        raise errors.Invalid({"receivers": "Choose who gets the leads."})
    return distribution.find_receivers(by, receivers, lock=lock)
