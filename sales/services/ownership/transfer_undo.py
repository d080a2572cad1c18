"""Gives transferred leads back: because a user undoes the transfer, or because a temporary transfer is over."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from athena.accounts.models import User
from athena.formatting import format_date
from notifications import outbox
from notifications.kinds import UNLISTED
from sales import errors, policy, schedule
from sales.models import Lead, LeadTransfer, MovedFollowUp, TransferBatch
from sales.services.follow_ups import planning
from sales.services.ownership import transfer_writes
from sales.services.ownership.transfer_writes import Move, TransferPlan, TransferResult

MOVED_SINCE, CLOSED, ARCHIVED, OWNER_INACTIVE = "moved_since", "closed", "archived", "owner_inactive"


def plan_undo(*, batch: TransferBatch) -> TransferPlan:
    """What undoing the batch would give back now, and what would stay and why. Writes nothing."""
    return _build_plan(batch, only_open=False)


@transaction.atomic
def undo(*, by: User | None, batch_id: int) -> TransferResult:
    """Give the leads of a transfer batch back to their previous owners (nobody, if they had none), as a new batch.

    The follow-ups that moved with a lead and are still open go back to their assignees; the present owner's other
    follow-ups on the lead go to the previous owner. Leads stay, with a code, if they have been transferred since, are
    archived, or their previous owner is inactive. Later transfers that were undone themselves don't count. Undoing an
    undo does the transfer again, until the same day. Raises `NotFound`, `NotYourTransfer`, `AlreadyUndone`.
    """
    visible = TransferBatch.objects.all() if by is None else TransferBatch.objects.visible_to(by)
    if not visible.filter(pk=batch_id).exists():
        raise errors.NotFound("There is no such transfer.")
    batch = TransferBatch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    policy.check_may_undo_transfer(by, batch)
    if TransferBatch.objects.filter(undoes=batch).exists():
        raise errors.AlreadyUndone
    return _apply(_build_plan(batch, only_open=False, lock=True), batch, by, f"Undo of batch {batch.pk}")


def return_due_batches() -> int:
    """Return the leads of temporary transfers that are over; returns how many batches were handled.

    Leads that are still open and have not been transferred since are returned. If the previous owner is inactive, a
    lead stays, and the managers are notified. Each batch is a transaction, and is handled once, however many workers
    call this.
    """
    batch_count = 0
    while _return_next_batch(schedule.company_today()):
        batch_count += 1
    return batch_count


@transaction.atomic
def _return_next_batch(today: date) -> bool:
    due = TransferBatch.objects.to_return(today).select_for_update(of=("self",), skip_locked=True)
    batch = due.order_by("pk").first()
    if batch is None or batch.until is None:
        return False
    plan = _build_plan(batch, only_open=True, lock=True)
    _apply(plan, batch, None, f"Returned: the transfer was until {format_date(batch.until)}")
    TransferBatch.objects.filter(pk=batch.pk).update(returned_at=timezone.now())
    not_returned = [lead_id for lead_id, code in plan.skipped if code == OWNER_INACTIVE]
    if not_returned:
        _notify_managers(batch, not_returned)
    return True


def _apply(plan: TransferPlan, batch: TransferBatch, by: User | None, reason: str) -> TransferResult:
    if not plan.moves:
        return TransferResult([], plan.skipped)
    undo_batch = TransferBatch.objects.create(by=by, reason=reason, undoes=batch, until=_get_until_of_redo(batch))
    return transfer_writes.apply_plan(plan, by=by, batch=undo_batch)


def _get_until_of_redo(undo_batch: TransferBatch) -> date | None:
    """The last day of the transfer that undoing `undo_batch` does again; None for good, or if that day is over."""
    until = undo_batch.undoes.until if undo_batch.undoes is not None else None
    return until if until is not None and until >= schedule.company_today() else None


def _build_plan(batch: TransferBatch, *, only_open: bool, lock: bool = False) -> TransferPlan:
    """Plan the return of a batch's leads. Users are locked before leads, so that nobody is deactivated meanwhile."""
    transferred = list(batch.transfers.order_by("lead").values_list("lead", "from_user", "to_user"))
    assignees = dict(MovedFollowUp.objects.filter(batch=batch).values_list("follow_up", "from_user"))
    users = User.objects.filter(pk__in={row[1] for row in transferred} | set(assignees.values())).order_by("pk")
    users_by_id = {user.pk: user for user in (users.select_for_update(no_key=True) if lock else users)}
    leads = Lead.objects.filter(pk__in=batch.transfers.order_by().values("lead"))
    leads_by_id = {lead.pk: lead for lead in transfer_writes.read_leads(leads, lock=lock)}
    in_effect = _find_leads_in_effect(batch)
    owners = transfer_writes.find_owners(leads_by_id.values())
    moves, skipped = [], []
    for lead_id, from_id, to_id in transferred:
        lead = leads_by_id[lead_id]
        reason = _find_reason_to_stay(lead, lead_id in in_effect and lead.assigned_to_id == to_id, only_open)
        if reason is None and from_id is not None and not users_by_id[from_id].is_active:
            reason = OWNER_INACTIVE
        if reason is None:
            moves.append(Move(lead, owners.get(to_id), users_by_id.get(from_id)))
        else:
            skipped.append((lead_id, reason))
    return TransferPlan(moves, skipped, _plan_follow_up_returns(moves, assignees, users_by_id))


def _find_leads_in_effect(batch: TransferBatch) -> set[int]:
    """The leads whose latest transfer in effect is this batch's. One query.

    A transfer that was undone is not in effect, and neither is its undo.
    """
    own_transfers = batch.transfers.order_by()
    since = LeadTransfer.objects.filter(
        lead__in=own_transfers.values("lead"), pk__gte=own_transfers.order_by("pk").values("pk")[:1]
    )
    in_effect: dict[int, list[int]] = {}
    for lead_id, batch_id, undoes_id in since.order_by("pk").values_list("lead", "batch", "batch__undoes"):
        if batch_id == batch.pk:
            in_effect[lead_id] = [batch_id]
        elif batches := in_effect.get(lead_id):
            if batches[-1] == undoes_id:
                batches.pop()
            else:
                batches.append(batch_id)
    return {lead_id for lead_id, batches in in_effect.items() if batches == [batch.pk]}


def _find_reason_to_stay(lead: transfer_writes.LeadRow, is_still_there: bool, only_open: bool) -> str | None:
    if lead.archived_at is not None:
        return ARCHIVED
    if not is_still_there:
        return MOVED_SINCE
    return CLOSED if only_open and not lead.is_open else None


def _plan_follow_up_returns(
    moves: list[Move], assignees: dict[int, int], users: dict[int, User]
) -> list[planning.Reassignment]:
    """Which open follow-ups move back with the leads, and to whom.

    A follow-up that moved with its lead returns to its previous assignee (`assignees`, by follow-up id), if they are
    active. The present owner's other follow-ups, and those of inactive assignees, go to the lead's receiver.
    """
    moves_by_lead = {move.lead.pk: move for move in moves}
    reassignments = []
    for pk, lead_id, day, time, assignee_id in transfer_writes.read_open_follow_ups([move.lead for move in moves]):
        move = moves_by_lead[lead_id]
        previous = users.get(assignees.get(pk, 0))
        receiver = previous if previous is not None and previous.is_active else move.receiver
        goes_with_lead = move.owner is None or assignee_id == move.owner.pk
        if goes_with_lead and receiver is not None and receiver.pk != assignee_id:
            reassignments.append(planning.Reassignment(pk, lead_id, day, time, assignee_id, receiver))
    return reassignments


def _notify_managers(batch: TransferBatch, lead_ids: list[int]) -> None:
    """Notify the managers about leads that can't be returned, because their previous owner is inactive."""
    leads = Lead.objects.filter(pk__in=lead_ids[: transfer_writes.MAX_LISTED_LEADS]).order_by("pk")
    context = {
        "count": len(lead_ids),
        "until": format_date(batch.until) if batch.until else None,
        "batch_id": batch.pk,
        "leads": [{"id": lead.pk, "name": str(lead)} for lead in leads],
        UNLISTED: lead_ids[transfer_writes.MAX_LISTED_LEADS :],
    }
    outbox.add_many(
        outbox.NewNotification("leads_not_returned", user.pk, f"not_returned:{batch.pk}:{user.pk}", context)
        for user in policy.find_fallback_recipients()
    )
