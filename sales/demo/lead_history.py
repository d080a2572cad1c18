"""What became of one lead, told from its first message to this morning: every row that Athena would have written."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sales import schedule
from sales.demo.context import World
from sales.demo.places import Client
from sales.demo.scripts import Step
from sales.demo.trip_kinds import Kind
from sales.models import Activity, FieldChange, FollowUp, Lead, LeadTransfer

MOMENT = timedelta(minutes=2)
QUOTE_VALID = timedelta(days=21)
_REACHED_AT = {"qualified": "qualified_at", "quoted": "quoted_at", "won": "closed_at", "lost": "closed_at"}
Direction = Activity.Direction


@dataclass
class Story:
    """A lead, the rows that tell of it, and the moment that the telling has come to (`at`)."""

    world: World
    rng: Random
    lead: Lead
    kind: Kind
    client: Client
    trip_at: datetime
    at: datetime
    engaged: list[Activity] = field(default_factory=list)  # what the client did, which is what scores
    status: Lead.Status = Lead.Status.NEW  # the row's own is set when its scores are
    planned: list[FollowUp] = field(default_factory=list)

    @property
    def owner(self) -> int | None:
        return self.lead.assigned_to_id

    def day(self, at: datetime | None = None) -> date:
        return (at or self.at).astimezone(schedule.company_zone()).date()

    def log(
        self, kind: Activity.Type, description: str, *, by: int | None, direction: Direction | None = None, **more: Any
    ) -> Activity:
        """An entry in the activity log at this moment."""
        activity = self.world.new(
            Activity,
            lead=self.lead,
            activity_type=kind,
            direction=direction,
            description=description,
            user_id=by,
            occurred_at=self.at,
            created_at=self.at,
            **more,
        )
        if kind not in (Activity.Type.STATUS_CHANGE, Activity.Type.TRANSFER):
            self.lead.last_activity_at = self.at
        return activity

    def hear(self, kind: Activity.Type, description: str, notes: str, *, by: int | None) -> None:
        """The client writes, calls or asks for a quote."""
        self.engaged.append(self.log(kind, description, by=by, direction=Direction.INBOUND, notes=notes))

    def change(self, by: int | None, **values: Any) -> None:
        """Fields of the lead change at this moment, each with its `FieldChange`."""
        for name in sorted(values):
            old, new = (self.status if name == "status" else getattr(self.lead, name)), values[name]
            self.world.new(
                FieldChange, lead=self.lead, field=name, old=_plain(old), new=_plain(new), by_id=by, at=self.at
            )
            if name != "status":
                setattr(self.lead, "lost_reason_id" if name == "lost_reason" else name, new)

    def plan(
        self, step: Step, day: date, clock: time | None, *, for_user: int | None = None, by: int | None = None
    ) -> FollowUp:
        """Promise a follow-up at this moment."""
        assignee = for_user or self.owner
        follow_up = self.world.new(
            FollowUp,
            lead=self.lead,
            follow_up_type=step.type,
            scheduled_date=day,
            scheduled_time=clock,
            first_scheduled_date=day,
            notes=step.todo,
            assigned_to_id=assignee,
            created_by_id=by or self.owner,
            created_at=self.at,
            updated_at=self.at,
        )
        self.planned.append(follow_up)
        return follow_up

    def reschedule(self, follow_up: FollowUp, day: date, clock: time | None) -> None:
        follow_up.scheduled_date, follow_up.scheduled_time = day, clock
        follow_up.reminder_no += 1
        self._touch(follow_up)

    def keep(self, follow_up: FollowUp, step: Step, no_next_reason: str = "") -> None:
        """Do what was promised, at this moment."""
        labels = FollowUp.Type(follow_up.follow_up_type).label, FollowUp.Outcome(step.outcome).label.lower()
        self.log(
            Activity.Type(follow_up.follow_up_type),
            f"{labels[0]} follow-up completed: {labels[1]}",
            by=follow_up.assigned_to_id,
            direction=Direction.OUTBOUND,
            notes=step.said,
            data={"outcome": step.outcome.value},
            follow_up=follow_up,
        )
        follow_up.completed, follow_up.completed_at = True, self.at
        follow_up.completed_by_id, follow_up.outcome = follow_up.assigned_to_id, step.outcome
        follow_up.outcome_notes, follow_up.no_next_reason = step.said, no_next_reason
        self._touch(follow_up)
        self.planned.remove(follow_up)
        self.lead.first_contacted_at = self.lead.first_contacted_at or self.at
        self.lead.last_follow_up_date = self.at
        self.lead.follow_up_count += 1

    def cancel(self, follow_up: FollowUp, reason: str) -> None:
        follow_up.cancelled_at, follow_up.cancelled_by_id, follow_up.cancel_reason = self.at, self.owner, reason
        self._touch(follow_up)
        self.planned.remove(follow_up)

    def reach(self, status: Lead.Status, **values: Any) -> None:
        """The lead comes to `status`, with the other fields that change at the same moment."""
        was, by = self.status, self.owner
        self.change(by, status=status, **values)
        self.status = status
        self.log(
            Activity.Type.STATUS_CHANGE,
            f"Status changed from {was.label} to {status.label}",
            by=by,
            data={"from": was.value, "to": status.value},
        )
        if status in _REACHED_AT:
            setattr(self.lead, _REACHED_AT[status], self.at)
        if status == Lead.Status.WON:
            self.lead.won_at = self.at
        if self.lead.closed_at:
            for follow_up in list(self.planned):
                self.cancel(follow_up, f"Lead {status}")

    def give(self, to: int, *, by: int, reason: str, at: datetime, shared: bool = False) -> None:
        """Transfer the lead, and the follow-ups its owner had open on it; nobody's lead brings all of them."""
        giver, users = self.owner, self.world.users
        batch = self.world.batch(by=by, reason=reason, at=at, shared=shared)
        self.at = batch.created_at
        self.world.new(
            LeadTransfer,
            lead=self.lead,
            batch=batch,
            from_user_id=giver,
            to_user_id=to,
            transfer_reason=reason,
            transferred_by_id=by,
            transferred_at=self.at,
        )
        self.lead.assigned_to = users[to]
        self.log(
            Activity.Type.TRANSFER,
            f"Lead transferred from {users[giver] if giver else 'nobody'} to {users[to]}",
            by=by,
            notes=reason,
        )
        for follow_up in self.planned:
            if giver in (None, follow_up.assigned_to_id):
                follow_up.assigned_to_id = to
                follow_up.reminder_no += 1
                self._touch(follow_up)

    def _touch(self, follow_up: FollowUp) -> None:
        follow_up.version += 1
        follow_up.updated_at = self.at


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
