"""Completing a follow-up: what a caller may say about it, its limits, and the two records that completing writes.

`CompletionInput` is the one definition of the input. The API body and the form take its fields and limits from here,
and `follow_ups.complete` takes an instance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from athena.accounts.models import User, local_today
from athena.formatting import format_date
from athena.limits import MAX_TEXT_LENGTH
from sales import errors, schedule
from sales.activity_descriptions import describe_completed_follow_up
from sales.models import Activity, FollowUp
from sales.services import activities
from sales.services.follow_ups import cadences, planning

MIN_NEXT_DAYS = 1
MAX_NEXT_DAYS = 365
DEFAULT_NEXT_DAYS = 3
MAX_NOTES_LENGTH = MAX_TEXT_LENGTH
MAX_REASON_LENGTH = 200
MAX_LOST_REASON_LENGTH = 50


class KeepTime(Enum):
    """The next follow-up has the time of day of the completed one."""

    KEEP_TIME = "keep time"


KEEP_TIME: Final = KeepTime.KEEP_TIME


@dataclass(frozen=True, kw_only=True)
class CompletionInput:
    """What the assignee says when completing a follow-up: its outcome, and what happens next.

    `schedule_next` plans another follow-up: on `next_follow_up_date`, a date of the assignee's calendar that stays as
    it is, or else in `next_follow_up_days` days (3 by default), moved to a working day. `close` is `won` (with
    `booked_value`) or `lost` (with `lost_reason`, a name from the managed list). `no_next_reason` says why nothing is
    planned. `amount` and `valid_until` belong to a follow-up of type quote.
    """

    outcome: str
    notes: str = ""
    schedule_next: bool = False
    next_follow_up_days: int | None = None
    next_follow_up_date: date | None = None
    next_follow_up_time: time | KeepTime | None = KEEP_TIME
    next_follow_up_type: str | None = None
    next_follow_up_notes: str = ""
    close: str | None = None
    lost_reason: str | None = None
    booked_value: Decimal | None = None
    no_next_reason: str = ""
    amount: Decimal | None = None
    valid_until: date | None = None

    def check(self, today: date) -> None:
        """Check the rules between the fields; `today` is the assignee's. Raises `Invalid`."""
        if not self.schedule_next:
            self._check_nothing_is_planned()
            return
        if self.close:
            raise errors.Invalid(
                {"close": "A closed lead gets no next follow-up. Close the lead or plan one, not both."}
            )
        if self.no_next_reason:
            raise errors.Invalid(
                {"no_next_reason": "A next follow-up is planned. Leave this empty, or don't plan one."}
            )
        if self.next_follow_up_date is not None:
            self._check_date(self.next_follow_up_date, today)

    @property
    def lead_changes(self) -> dict[str, Any]:
        """The changes of the lead that closing it makes."""
        return {"status": self.close, "lost_reason": self.lost_reason, "booked_value": self.booked_value}

    def _check_nothing_is_planned(self) -> None:
        is_given = {
            "next_follow_up_date": self.next_follow_up_date is not None,
            "next_follow_up_time": self.next_follow_up_time is not KEEP_TIME and self.next_follow_up_time is not None,
            "next_follow_up_notes": bool(self.next_follow_up_notes),
        }
        problems = {name: "Set schedule_next to plan it." for name, given in is_given.items() if given}
        if problems:
            raise errors.Invalid(problems)

    def _check_date(self, day: date, today: date) -> None:
        if day < today:
            raise errors.Invalid({"next_follow_up_date": "This date is in the past."})
        if self.next_follow_up_days is None:
            return
        counted_day = today + timedelta(days=self.next_follow_up_days)
        if day not in (counted_day, schedule.move_to_working_day(counted_day)):
            message = f"This is not the date in {self.next_follow_up_days} days. Give the date or the number of days."
            raise errors.Invalid({"next_follow_up_date": message})


def plan_next(
    completed: FollowUp, by: User, completion: CompletionInput, step: cadences.UpcomingStep | None
) -> FollowUp:
    """Plan the follow-up after a completed one.

    With `schedule_next` it is as `completion` says; what that leaves open comes from the cadence's next `step`, or
    without a cadence from the completed follow-up. The instructions of the step or of the completed follow-up stay
    unless there are new ones.
    """
    if not completion.schedule_next:  # the cadence alone plans it
        completion = CompletionInput(outcome=completion.outcome)
    day = completion.next_follow_up_date
    if day is None:
        days = completion.next_follow_up_days or (step.days if step else DEFAULT_NEXT_DAYS)
        day = schedule.move_to_working_day(local_today(by) + timedelta(days=days))
    clock = completion.next_follow_up_time
    if clock is KEEP_TIME:
        clock = None if step else completed.scheduled_time
    default_notes = step.notes if step else completed.notes
    outcome_label = FollowUp.Outcome(completion.outcome).label.lower()
    next_follow_up = planning.plan_follow_up(
        lead=completed.lead,
        by=by,
        assignee=step.assignee if step else completed.assigned_to,
        follow_up_type=completion.next_follow_up_type or (step or completed).follow_up_type,
        scheduled_date=day,
        scheduled_time=clock,
        notes=completion.next_follow_up_notes
        or default_notes
        or f"After the follow-up of {format_date(completed.scheduled_date)}: {outcome_label}",
    )
    if step is not None:
        cadences.record_progress(step, next_follow_up)
    return next_follow_up


def record_outcome(
    follow_up: FollowUp, by: User, completion: CompletionInput, quote_data: Mapping[str, Any]
) -> Activity:
    """Write the activity of a completed follow-up and set its outcome. The caller saves the follow-up.

    `quote_data` is the quote's amount and validity, as `sale_progress.build_quote_data` returns them.
    """
    type_label = FollowUp.Type(follow_up.follow_up_type).label
    outcome_label = FollowUp.Outcome(completion.outcome).label
    activity = activities.write_activity(
        lead=follow_up.lead,
        by=by,
        activity_type=follow_up.follow_up_type,
        direction=Activity.Direction.OUTBOUND,
        description=describe_completed_follow_up(type_label, outcome_label),
        notes=completion.notes,
        data={"outcome": completion.outcome, **quote_data},
        follow_up=follow_up,
    )
    follow_up.completed = True
    follow_up.completed_at = activity.occurred_at
    follow_up.completed_by = by
    follow_up.outcome = completion.outcome
    follow_up.outcome_notes = completion.notes
    follow_up.no_next_reason = completion.no_next_reason
    follow_up.activity = activity
    return activity
