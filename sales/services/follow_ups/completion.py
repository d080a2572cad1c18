"""What completing a follow-up is made of: the record of its outcome, and the next step that follows it."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import Enum
from typing import Any, Final

from athena.accounts.models import User, local_today
from sales import errors, schedule
from sales.models import Activity, FollowUp
from sales.services import activities
from sales.services.follow_ups import cadences, planning

DEFAULT_NEXT_DAYS = 3


class AsBefore(Enum):
    """The next follow-up has the time of day of the one before it."""

    AS_BEFORE = "as before"


AS_BEFORE: Final = AsBefore.AS_BEFORE


@dataclass(frozen=True)
class NextStep:
    """When the next follow-up is, and what is to be done. `day` is the assignee's; None: in so many `days`."""

    days: int | None = None
    day: date | None = None
    clock: time | AsBefore | None = AS_BEFORE
    follow_up_type: str | None = None
    notes: str = ""

    def check(self, by: User, *, wanted: bool) -> None:
        """That it can be planned, where it is `wanted`. Raises `Invalid`, by the names that `complete` gives them."""
        named = {
            "next_follow_up_date": self.day is not None,
            "next_follow_up_time": self.clock is not AS_BEFORE and self.clock is not None,
            "next_follow_up_notes": bool(self.notes),
        }
        if not wanted:
            wrong = dict.fromkeys((name for name, given in named.items() if given), "Set schedule_next to plan it.")
            if wrong:
                raise errors.Invalid(wrong)
            return
        if self.day is None:
            return
        today = local_today(by)
        if self.day < today:
            raise errors.Invalid({"next_follow_up_date": "This day is over."})
        if self.days is not None:
            counted = today + timedelta(days=self.days)
            if self.day not in (counted, schedule.working_day(counted)):
                raise errors.Invalid(
                    {"next_follow_up_date": f"In {self.days} days it is another date. Give one of the two."}
                )


def plan_next(done: FollowUp, by: User, outcome: str, step: cadences.Step | None, wanted: NextStep) -> FollowUp:
    """Plan what follows a completed follow-up: as `wanted`, otherwise as its cadence's next `step` or as it was itself.

    A date that is named stays; a number of days leads to a working day. Nobody's instruction is lost: without a new
    one, the cadence's or the old one goes on.
    """
    day = wanted.day
    if day is None:
        days = wanted.days or (step.days if step else DEFAULT_NEXT_DAYS)
        day = schedule.working_day(local_today(by) + timedelta(days=days))
    clock = wanted.clock
    if clock is AS_BEFORE:
        clock = None if step else done.scheduled_time
    before = step.notes if step else done.notes
    label = FollowUp.Outcome(outcome).label.lower()
    following = planning.plan(
        lead=done.lead,
        by=by,
        assignee=step.assignee if step else done.assigned_to,
        follow_up_type=wanted.follow_up_type or (step or done).follow_up_type,
        scheduled_date=day,
        scheduled_time=clock,
        notes=wanted.notes or before or f"Follow-up from {done.scheduled_date}: {label}",
    )
    if step is not None:
        cadences.reach(step, following)
    return following


def record_outcome(
    follow_up: FollowUp, by: User, outcome: str, notes: str, no_next_reason: str, quote: dict[str, Any]
) -> Activity:
    """Write the activity of a completed follow-up, and its outcome on it; the follow-up is the caller's to save."""
    labels = FollowUp.Type(follow_up.follow_up_type).label, FollowUp.Outcome(outcome).label.lower()
    activity = activities.write_activity(
        lead=follow_up.lead,
        by=by,
        activity_type=follow_up.follow_up_type,
        direction=Activity.Direction.OUTBOUND,
        description=f"{labels[0]} follow-up completed: {labels[1]}",
        notes=notes,
        data={"outcome": outcome, **quote},
        follow_up=follow_up,
    )
    follow_up.completed, follow_up.completed_at, follow_up.completed_by = True, activity.occurred_at, by
    follow_up.outcome, follow_up.outcome_notes, follow_up.no_next_reason = outcome, notes, no_next_reason
    follow_up.activity = activity
    return activity
