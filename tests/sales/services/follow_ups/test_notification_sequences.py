"""Which notifications a follow-up causes, to whom and when, in random sequences of actions and standstills.

A small model predicts the notifications; the test compares them, hour by hour, with those that the tick creates.
"""

import os
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine

from athena.accounts import services as accounts
from athena.accounts.models import User
from notifications.models import Notification
from sales import schedule
from sales.models import FollowUp, Lead, TransferBatch
from sales.services.follow_ups import follow_ups, overdue, reminders
from sales.services.ownership import transfer_undo, transfers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The clock is put forward in New York on 8 March 2026 and back in Berlin on 25 October.
STARTS = [datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 7, 7, 20, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC)]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Auckland", "America/Los_Angeles"]
REMINDER_MINUTES = [0, 60, 180, 1440, 7 * 1440]
SEEDS = range(int(os.environ.get("NOTIFICATION_SEEDS", "6")))  # set more for a longer run


@dataclass
class Plan:
    """What the model knows about the follow-up; `remind_at` is the time of its own reminder, apart from snoozes."""

    day: date
    clock: time | None
    user: User
    late: bool = False
    remind_at: datetime | None = None
    is_reminded: bool = False
    is_overdue_sent: bool = False
    is_escalated: bool = False
    snoozed_until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.day < now.astimezone(self.user.zone).date()

    def compute_remind_at(self, now: datetime) -> None:
        """By the assignee's time zone and reminder minutes as they are now, until the day is over."""
        if not self.is_over(now):
            local = datetime.combine(self.day, self.clock or time(8), tzinfo=self.user.zone).astimezone(UTC)
            ahead = timedelta(minutes=self.user.reminder_minutes if self.clock else 0)
            self.remind_at = max(local - ahead, now)

    def begin(self, now: datetime) -> "Plan":
        self.late = self.is_over(now)
        self.compute_remind_at(now)
        return self

    def continue_as(self, now: datetime, clock: time | None, user: User) -> None:
        """Keep the day, lateness and escalation; a new assignee has got no notification yet."""
        self.is_overdue_sent &= user is self.user
        self.clock, self.user = clock, user
        self.remind_at, self.is_reminded, self.snoozed_until = None, False, None
        self.late &= self.is_over(now)
        self.compute_remind_at(now)

    def tick(self, now: datetime, manager: User) -> list[tuple[str, int]]:
        notifications = [("reminder", self.user.pk)] * self._reminds(now)
        morning = (now.astimezone(self.user.zone).replace(tzinfo=None) - timedelta(hours=8)).date()
        if not self.late and not self.is_overdue_sent and morning - 7 * DAY <= self.day < morning:
            self.is_overdue_sent = True
            notifications.append(("overdue", self.user.pk))
        last = schedule.subtract_working_days(morning, 2)
        if not self.late and not self.is_escalated and last - 6 * DAY <= self.day <= last:
            self.is_escalated = True
            notifications.append(("escalated", manager.pk))
        return notifications

    def _reminds(self, now: datetime) -> bool:
        is_own_due = not self.late and not self.is_reminded and self.remind_at is not None and self.remind_at <= now
        if self.snoozed_until is None:
            self.is_reminded |= is_own_due
            return is_own_due and not self.is_over(now)
        if self.snoozed_until > now:
            return False
        late_by, self.snoozed_until = now - self.snoozed_until, None
        self.is_reminded |= is_own_due
        is_overdue_notice_near = late_by > HOUR and not self.late and not self.is_overdue_sent
        return not (self.is_over(now) and (is_overdue_notice_near or late_by > 7 * DAY))


@pytest.fixture
def people(make_user, desk, rep, colleague, manager):
    return [rep, colleague]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_notification_is_sent_once_at_the_right_time(seed, people, manager, make_lead):
    rng = random.Random(seed)
    start = rng.choice(STARTS)
    lead = make_lead(assigned_to=people[0])
    with time_machine.travel(start, tick=False) as clock:
        day, at = (start + rng.randint(-1, 4) * DAY).date(), rng.choice([None, time(0), time(10), time(15), time(23)])
        plan = Plan(day, at, people[0]).begin(start)
        follow_up = follow_ups.create(
            by=people[0], lead_id=lead.pk, follow_up_type="call", scheduled_date=day, scheduled_time=at
        )
        expected, story, stopped_until = [], [f"{start}: {day} {at}"], start
        for hour in range(7 * 24):
            now = start + hour * HOUR
            clock.move_to(now, tick=False)
            if rng.random() < 0.06:
                story.append(f"{now}: {act(rng, plan, follow_up.pk, people, manager, now)}")
            if rng.random() < 0.01:
                stopped_until = now + rng.choice([5, 30, 100]) * HOUR
                story.append(f"{now}: the worker is stopped until {stopped_until}")
            if now >= stopped_until:
                plan.compute_remind_at(now)
                tick()
                expected += [(now, *notification) for notification in plan.tick(now, manager)]

    assert list_notifications(follow_up.pk) == expected, "\n".join(story)


def act(rng, plan, pk, people, manager, now):
    """Do something at random to the follow-up and to its model; return what was done."""
    match rng.choice(
        ["zone", "zone", "reminder minutes", "snooze", "snooze", "reschedule", "reassign", "transfer", "undo"]
    ):
        case "zone":
            user, changes = rng.choice(people), {"time_zone": rng.choice(ZONES)}
            return change(user, changes)
        case "reminder minutes":
            user, changes = rng.choice(people), {"reminder_minutes": rng.choice(REMINDER_MINUTES)}
            return change(user, changes)
        case "snooze":
            plan.snoozed_until = now + rng.choice([1, 3, 20, 50]) * HOUR
            follow_ups.snooze(by=plan.user, follow_up_id=pk, until=plan.snoozed_until)
            return f"snoozed until {plan.snoozed_until}"
        case "reschedule":
            day, at = (now + rng.randint(-1, 3) * DAY).date(), rng.choice([None, time(9), time(16)])
            if day != plan.day:
                plan.__init__(day, at, plan.user)
                plan.begin(now)
            elif at != plan.clock:
                plan.continue_as(now, at, plan.user)
            follow_ups.update(by=plan.user, follow_up_id=pk, changes={"scheduled_date": day, "scheduled_time": at})
            return f"moved to {day} {at}"
        case "undo" if (batch := TransferBatch.objects.filter(undone_by=None).last()) is not None:
            transfer_undo.undo(by=manager, batch_id=batch.pk)
            return sync_assignee(plan, pk, people, now)
        case "transfer":
            other = next(user for user in people if user.pk != Lead.objects.get().assigned_to_id)
            transfers.transfer(by=manager, leads=Lead.objects.all(), to_user_id=other.pk)
            return sync_assignee(plan, pk, people, now)
        case _:
            other = people[1] if plan.user is people[0] else people[0]
            follow_ups.update(by=manager, follow_up_id=pk, changes={"assigned_to": other.pk})
            return sync_assignee(plan, pk, people, now)


def sync_assignee(plan, pk, people, now):
    """Give the model the assignee that the follow-up has now."""
    user = next(user for user in people if user.pk == FollowUp.objects.get(pk=pk).assigned_to_id)
    if user is not plan.user:
        plan.continue_as(now, plan.clock, user)
    return f"{user} has it"


def change(user, changes):
    for name, value in changes.items():
        setattr(user, name, value)
    accounts.update_profile(by=user, changes=changes)
    return f"{user} {changes}"


def tick():
    reminders.fill_derived_columns()
    reminders.send_due_reminders()
    overdue.send_overdue_notices()
    overdue.escalate_to_managers()


def list_notifications(pk):
    """Time, event and recipient of each notification."""
    events = {"follow_up_due": "reminder", "follow_up_overdue": "overdue", "escalation_overdue": "escalated"}
    rows = Notification.objects.filter(kind__in=events, context__follow_up_id=pk).order_by("pk")
    return [
        (at, events[kind], recipient) for at, kind, recipient in rows.values_list("not_before", "kind", "recipient")
    ]
