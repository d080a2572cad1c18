"""Moving leads to another owner: one or many, planned or done, always whole.

A transfer takes a fixed number of statements whatever the number of leads. It locks them in key order, so that two
managers' overlapping transfers follow one another instead of meeting.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from athena.accounts.models import User
from athena.db.bulk import AmongKeys, insert_from
from notifications import outbox
from sales import errors, policy
from sales.models import Activity, FollowUp, Lead, LeadTransfer, TransferBatch
from sales.models.lead import LeadQuerySet
from sales.services import planning

TOLD_LEADS = 20


@dataclass(frozen=True)
class Plan:
    """What a transfer would do, or has done: who receives which leads, and why others stay."""

    receiver: User
    moving: list[Lead]
    skipped: list[tuple[int, str]]
    follow_ups: int

    @property
    def lead_ids(self) -> list[int]:
        return [lead.pk for lead in self.moving]


@dataclass(frozen=True)
class Done(Plan):
    batch: TransferBatch | None


def plan(*, by: User | None, leads: LeadQuerySet, to_user_id: int) -> Plan:
    """What `transfer` would do now; writes nothing. Raises as `transfer` does."""
    return _plan(by, leads, receiver(by, to_user_id))


@transaction.atomic
def transfer(*, by: User | None, leads: LeadQuerySet, to_user_id: int, reason: str = "", notes: str = "") -> Done:
    """Give these leads to somebody, with their open follow-ups, and tell everybody concerned.

    Open follow-ups assigned to the old owner move (all of an unowned lead's), and remind their new assignee. Leads
    that are theirs already, or that `by` may not give away, are skipped with a code. Only what `by` can see counts.
    Raises `NotFound` for an unknown receiver, `Invalid` for an inactive one, `ReceiverNotAllowed`.
    """
    to = receiver(by, to_user_id)
    done = _plan(by, leads.select_for_update(of=("self",)), to)
    if not done.moving:
        return Done(to, [], done.skipped, 0, None)
    batch = TransferBatch.objects.create(by=by, reason=reason)
    these = Lead.objects.filter(AmongKeys("pk", done.lead_ids))
    _record(these, batch, by, to, reason, notes)
    planning.reassign(_following(these, to), to)
    now = timezone.now()
    these.update(assigned_to=to, version=F("version") + 1, updated_at=now, next_follow_up_date=planning.EARLIEST_DUE)
    _tell(done, batch, by, reason)
    return Done(to, done.moving, done.skipped, done.follow_ups, batch)


def receiver(by: User | None, user_id: int) -> User:
    """The active user to whom `by` may give leads. Raises `NotFound`, `Invalid`, `ReceiverNotAllowed`."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise errors.NotFound("There is no such user.")
    if not user.is_active:
        raise errors.Invalid({"to_user_id": "This user is not active."})
    if not User.objects.filter(policy.receivers_for(by), pk=user_id).exists():
        raise errors.ReceiverNotAllowed
    return user


def _plan(by: User | None, leads: LeadQuerySet, to: User) -> Plan:
    visible = leads.filter(archived_at__isnull=True) if by is None else leads.visible_to(by)
    moving: list[Lead] = []
    skipped: list[tuple[int, str]] = []
    owned = visible.select_related(None).select_related("assigned_to").order_by("pk")
    for lead in owned.only("company_name", "contact_name", "assigned_to__full_name", "assigned_to__is_active"):
        if lead.assigned_to_id == to.pk:
            skipped.append((lead.pk, "already_owner"))
        elif not policy.may_write_lead(by, lead):
            skipped.append((lead.pk, errors.NotYourLead.code))
        else:
            moving.append(lead)
    these = Lead.objects.filter(AmongKeys("pk", [lead.pk for lead in moving]))
    return Plan(to, moving, skipped, _following(these, to).count())


def _following(leads: "QuerySet[Lead]", to: User) -> "QuerySet[FollowUp]":
    """The open follow-ups that move with these leads: their owner's, or anybody's where nobody owned the lead."""
    whose = Q(lead__assigned_to__isnull=True) | Q(assigned_to=F("lead__assigned_to"))
    return FollowUp.objects.open().filter(whose, lead__in=leads.order_by().values("pk")).exclude(assigned_to=to)


def _record(leads: "QuerySet[Lead]", batch: TransferBatch, by: User | None, to: User, reason: str, notes: str) -> None:
    """A transfer and an activity for each lead, while it still has its old owner."""
    now, actor = Value(timezone.now()), Value(by.pk if by else None)
    insert_from(
        LeadTransfer,
        leads,
        lead=F("pk"),
        batch=Value(batch.pk),
        from_user=F("assigned_to"),
        to_user=Value(to.pk),
        transferred_by=actor,
        transfer_reason=Value(reason),
        notes=Value(notes),
        transferred_at=now,
    )
    old_owner = Coalesce("assigned_to__full_name", Value("nobody"))
    insert_from(
        Activity,
        leads,
        lead=F("pk"),
        activity_type=Value(Activity.Type.TRANSFER.value),
        description=Concat(Value("Lead transferred from "), old_owner, Value(f" to {to}")),
        notes=Value(reason),
        user=actor,
        occurred_at=now,
    )


def _tell(done: Plan, batch: TransferBatch, by: User | None, reason: str) -> None:
    """One message for the receiver and one for each previous owner, but none about what one did oneself."""
    losses: dict[User, list[Lead]] = {}
    for lead in done.moving:
        if lead.assigned_to is not None:
            losses.setdefault(lead.assigned_to, []).append(lead)
    shared = {"by_name": str(by) if by else "Athena", "reason": reason}
    messages = [
        outbox.Message(
            kind="leads_received",
            recipient_id=done.receiver.pk,
            dedupe_key=f"received:{batch.pk}:{done.receiver.pk}",
            context={
                **shared,
                "count": len(done.moving),
                "from_names": sorted(owner.full_name for owner in losses),
                "leads": _sample(done.moving),
            },
        )
    ]
    for owner, theirs in losses.items():
        messages.append(
            outbox.Message(
                kind="leads_transferred",
                recipient_id=owner.pk,
                dedupe_key=f"transferred:{batch.pk}:{owner.pk}",
                context={**shared, "count": len(theirs), "to_name": str(done.receiver), "leads": _sample(theirs)},
            )
        )
    active = {done.receiver.pk, *(owner.pk for owner in losses if owner.is_active)}
    outbox.add_many(m for m in messages if m.recipient_id in active and (by is None or m.recipient_id != by.pk))


def _sample(leads: Iterable[Lead]) -> list[dict[str, object]]:
    return [{"id": lead.pk, "name": str(lead)} for lead in list(leads)[:TOLD_LEADS]]
