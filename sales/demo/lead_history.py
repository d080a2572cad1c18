"""The history of one lead, from its first message until this morning: every row that Athena would have written."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sales import schedule
from sales.activity_descriptions import describe_completed_follow_up, describe_status_change, describe_transfer
from sales.demo.context import DemoContext
from sales.demo.places import Client
from sales.demo.scripts import Step
from sales.demo.trip_kinds import TripKind
from sales.models import Activity, FieldChange, FollowUp, Lead, LeadTransfer

SHORT_WHILE = timedelta(minutes=2)  # between one thing and the next
QUOTE_VALIDITY = timedelta(days=21)
_REACHED_AT = {"qualified": "qualified_at", "quoted": "quoted_at", "won": "closed_at", "lost": "closed_at"}
Direction = Activity.Direction


@dataclass
class LeadHistory:
    """A lead and its rows, which are written up to the time `at`. The methods write what happens at that time."""

    context: DemoContext
    rng: Random
    lead: Lead
    trip_kind: TripKind
    client: Client
    trip_at: datetime
    at: datetime
    inbound_activities: list[Activity] = field(default_factory=list)  # what the client did: it changes the score
    status: Lead.Status = Lead.Status.NEW  # the status of `lead` itself is set after it is scored
    open_follow_ups: list[FollowUp] = field(default_factory=list)

    @property
    def owner(self) -> int | None:
        return self.lead.assigned_to_id

    def get_date(self, at: datetime | None = None) -> date:
        return (at or self.at).astimezone(schedule.company_zone()).date()

    def log(
        self, kind: Activity.Type, description: str, *, by: int | None, direction: Direction | None = None, **more: Any
    ) -> Activity:
        """Log an activity."""
        activity = self.context.add_row(
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

    def log_inbound(self, kind: Activity.Type, description: str, notes: str, *, by: int | None) -> None:
        """Log that the client wrote, called or asked for a quote."""
        self.inbound_activities.append(self.log(kind, description, by=by, direction=Direction.INBOUND, notes=notes))

    def change_fields(self, by: int | None, **values: Any) -> None:
        """Change fields of the lead, each with its `FieldChange`."""
        for name in sorted(values):
            old, new = (self.status if name == "status" else getattr(self.lead, name)), values[name]
            self.context.add_row(
                FieldChange, lead=self.lead, field=name, old=_to_json(old), new=_to_json(new), by_id=by, at=self.at
            )
            if name != "status":
                setattr(self.lead, "lost_reason_id" if name == "lost_reason" else name, new)

    def plan(
        self, step: Step, day: date, clock: time | None, *, for_user: int | None = None, by: int | None = None
    ) -> FollowUp:
        """Plan a follow-up for `day`, by default for the lead's owner."""
        assignee = for_user or self.owner
        follow_up = self.context.add_row(
            FollowUp,
            lead=self.lead,
            follow_up_type=step.type,
            scheduled_date=day,
            scheduled_time=clock,
            first_scheduled_date=day,
            notes=step.instructions,
            assigned_to_id=assignee,
            created_by_id=by or self.owner,
            created_at=self.at,
            updated_at=self.at,
        )
        self.open_follow_ups.append(follow_up)
        return follow_up

    def reschedule(self, follow_up: FollowUp, day: date, clock: time | None) -> None:
        follow_up.scheduled_date, follow_up.scheduled_time = day, clock
        follow_up.reminder_no += 1
        self._touch(follow_up)

    def complete(self, follow_up: FollowUp, step: Step, no_next_reason: str = "") -> None:
        """Complete a follow-up with the outcome of its step."""
        type_label, outcome_label = FollowUp.Type(follow_up.follow_up_type).label, FollowUp.Outcome(step.outcome).label
        self.log(
            Activity.Type(follow_up.follow_up_type),
            describe_completed_follow_up(type_label, outcome_label),
            by=follow_up.assigned_to_id,
            direction=Direction.OUTBOUND,
            notes=step.outcome_notes,
            data={"outcome": step.outcome.value},
            follow_up=follow_up,
        )
        follow_up.completed, follow_up.completed_at = True, self.at
        follow_up.completed_by_id, follow_up.outcome = follow_up.assigned_to_id, step.outcome
        follow_up.outcome_notes, follow_up.no_next_reason = step.outcome_notes, no_next_reason
        self._touch(follow_up)
        self.open_follow_ups.remove(follow_up)
        self.lead.first_contacted_at = self.lead.first_contacted_at or self.at
        self.lead.last_follow_up_date = self.at
        self.lead.follow_up_count += 1

    def cancel(self, follow_up: FollowUp, reason: str) -> None:
        follow_up.cancelled_at, follow_up.cancelled_by_id, follow_up.cancel_reason = self.at, self.owner, reason
        self._touch(follow_up)
        self.open_follow_ups.remove(follow_up)

    def change_status(self, status: Lead.Status, **values: Any) -> None:
        """Change the lead's status, and other fields at the same time. A closed lead keeps no open follow-ups."""
        old_status, by = self.status, self.owner
        self.change_fields(by, status=status, **values)
        self.status = status
        self.log(
            Activity.Type.STATUS_CHANGE,
            describe_status_change(old_status.label, status.label),
            by=by,
            data={"from": old_status.value, "to": status.value},
        )
        if status in _REACHED_AT:
            setattr(self.lead, _REACHED_AT[status], self.at)
        if status == Lead.Status.WON:
            self.lead.won_at = self.at
        if self.lead.closed_at:
            for follow_up in list(self.open_follow_ups):
                self.cancel(follow_up, f"Lead {status}")

    def transfer(self, to: int, *, by: int, reason: str, at: datetime, is_shared: bool = False) -> None:
        """Transfer the lead and the open follow-ups of its owner; of an unassigned lead, all of them."""
        old_owner, users = self.owner, self.context.users
        batch = self.context.get_batch(by=by, reason=reason, at=at, is_shared=is_shared)
        self.at = batch.created_at
        self.context.add_row(
            LeadTransfer,
            lead=self.lead,
            batch=batch,
            from_user_id=old_owner,
            to_user_id=to,
            transfer_reason=reason,
            transferred_by_id=by,
            transferred_at=self.at,
        )
        self.lead.assigned_to = users[to]
        self.log(
            Activity.Type.TRANSFER,
            describe_transfer(str(users[old_owner]) if old_owner else None, str(users[to])),
            by=by,
            notes=reason,
        )
        for follow_up in self.open_follow_ups:
            if old_owner in (None, follow_up.assigned_to_id):
                follow_up.assigned_to_id = to
                follow_up.reminder_no += 1
                self._touch(follow_up)

    def _touch(self, follow_up: FollowUp) -> None:
        follow_up.version += 1
        follow_up.updated_at = self.at


def _to_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
