"""Taking a transfer back: because somebody asks for it, or because the time for which leads were given is over."""

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
    """What undoing it would give back now, and what not, and why. Writes nothing."""
    return _plan(batch, only_open=False)


@transaction.atomic
def undo(*, by: User | None, batch_id: int) -> TransferResult:
    """Give back what a batch moved, as a batch that says so, to whoever had it (nobody, where nobody did).

    With a lead go back the follow-ups that went with it and are still open; others that its present owner has on it go
    to the owner. Leads that have been transferred since, that are archived, or whose owner has left stay, with a code;
    later transfers that were undone themselves do not count. Undoing an undoing does it again, for the time for which
    the leads had been given away. Raises `NotFound`, `NotYourTransfer`, `AlreadyUndone`.
    """
    visible = TransferBatch.objects.all() if by is None else TransferBatch.objects.visible_to(by)
    if not visible.filter(pk=batch_id).exists():
        raise errors.NotFound("There is no such transfer.")
    batch = TransferBatch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    policy.check_may_undo_transfer(by, batch)
    if TransferBatch.objects.filter(undoes=batch).exists():
        raise errors.AlreadyUndone
    return _give_back(_plan(batch, only_open=False, locked=True), batch, by, f"Undo of batch {batch.pk}")


def return_due_batches() -> int:
    """Give back the leads that were given away for a time, once it is over; how many batches it went through.

    Back goes what is still open and has not been transferred since. Where the owner has left it stays, and the managers
    are told. Each batch is a transaction, and done once however many workers there are.
    """
    batches = 0
    while _give_next_back(schedule.company_today()):
        batches += 1
    return batches


@transaction.atomic
def _give_next_back(today: date) -> bool:
    due = TransferBatch.objects.to_return(today).select_for_update(of=("self",), skip_locked=True)
    batch = due.order_by("pk").first()
    if batch is None:
        return False
    found = _plan(batch, only_open=True, locked=True)
    _give_back(found, batch, None, f"Given back: it was until {format_date(batch.until or today)}")
    TransferBatch.objects.filter(pk=batch.pk).update(returned_at=timezone.now())
    left = [lead_id for lead_id, code in found.skipped if code == OWNER_INACTIVE]
    if left:
        _tell_managers(batch, left)
    return True


def _give_back(found: TransferPlan, batch: TransferBatch, by: User | None, reason: str) -> TransferResult:
    if not found.moves:
        return TransferResult([], found.skipped)
    back = TransferBatch.objects.create(by=by, reason=reason, undoes=batch, until=_until_of_redo(batch))
    return transfer_writes.apply_plan(found, by=by, batch=back)


def _until_of_redo(undo: TransferBatch) -> date | None:
    """The last day of the transfer that undoing `undo` does again; None where it is for good, or that day is over."""
    until = undo.undoes.until if undo.undoes is not None else None
    return until if until is not None and until >= schedule.company_today() else None


def _plan(batch: TransferBatch, *, only_open: bool, locked: bool = False) -> TransferPlan:
    """Who returns are locked before the leads, so that nobody leaves meanwhile."""
    made = list(batch.transfers.order_by("lead").values_list("lead", "from_user", "to_user"))
    moved = dict(MovedFollowUp.objects.filter(batch=batch).values_list("follow_up", "from_user"))
    users = User.objects.filter(pk__in={row[1] for row in made} | set(moved.values())).order_by("pk")
    people = {user.pk: user for user in (users.select_for_update(no_key=True) if locked else users)}
    those = Lead.objects.filter(pk__in=batch.transfers.order_by().values("lead"))
    leads = {lead.pk: lead for lead in transfer_writes.read_leads(those, locked=locked)}
    in_effect = _leads_in_effect(batch)
    owners = transfer_writes.find_owners(leads.values())
    going, skipped = [], []
    for lead_id, from_id, to_id in made:
        lead = leads[lead_id]
        why = _why_not(lead, lead_id in in_effect and lead.assigned_to_id == to_id, only_open)
        if why is None and from_id is not None and not people[from_id].is_active:
            why = OWNER_INACTIVE
        if why is None:
            going.append(Move(lead, owners.get(to_id), people.get(from_id)))
        else:
            skipped.append((lead_id, why))
    return TransferPlan(going, skipped, _following(going, moved, people))


def _leads_in_effect(batch: TransferBatch) -> set[int]:
    """The leads of which this batch is the latest transfer that is in effect. One query.

    A later transfer is not in effect once it was undone, nor is the undoing of it.
    """
    own = batch.transfers.order_by()
    since = LeadTransfer.objects.filter(lead__in=own.values("lead"), pk__gte=own.order_by("pk").values("pk")[:1])
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


def _why_not(lead: transfer_writes.LeadRow, still_there: bool, only_open: bool) -> str | None:
    if lead.archived_at is not None:
        return ARCHIVED
    if not still_there:
        return MOVED_SINCE
    return CLOSED if only_open and not lead.is_open else None


def _following(going: list[Move], moved: dict[int, int], people: dict[int, User]) -> list[planning.Reassignment]:
    """The open follow-ups that went with the leads, back to whose they were; others of the present owner's to the next.

    One whose assignee has left goes to the next owner, too.
    """
    by_lead = {move.lead.pk: move for move in going}
    handed = []
    for pk, lead_id, day, clock, assignee in transfer_writes.read_open_follow_ups([move.lead for move in going]):
        move = by_lead[lead_id]
        was = people.get(moved.get(pk, 0))
        to = was if was is not None and was.is_active else move.to
        theirs = move.owner is None or assignee == move.owner.pk
        if theirs and to is not None and to.pk != assignee:
            handed.append(planning.Reassignment(pk, lead_id, day, clock, assignee, to))
    return handed


def _tell_managers(batch: TransferBatch, lead_ids: list[int]) -> None:
    """That leads stay where they were given for a time: whose they were is not active any more."""
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
