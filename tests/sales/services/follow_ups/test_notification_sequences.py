"""Exactly what is told of a follow-up, to whom and when, through any sequence of what people do and of standstills.

A model in a few lines says what should be told; the services and the tick are held against it, hour by hour.
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
LEAD_TIMES = [0, 60, 180, 1440, 7 * 1440]
SEEDS = range(int(os.environ.get("TELLING_SEEDS", "6")))  # more of them for the night


@dataclass
class Plan:
    """What the model knows of the follow-up; `moment` is that of its own reminder."""

    day: date
    clock: time | None
    user: User
    late: bool = False
    moment: datetime | None = None
    is_reminded: bool = False
    is_told_overdue: bool = False
    is_escalated: bool = False
    snoozed: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.day < now.astimezone(self.user.zone).date()

    def work_out(self, now: datetime) -> None:
        """By the assignee's clock and lead time as they are now, while the day lasts."""
        if not self.is_over(now):
            local = datetime.combine(self.day, self.clock or time(8), tzinfo=self.user.zone).astimezone(UTC)
            ahead = timedelta(minutes=self.user.reminder_minutes if self.clock else 0)
            self.moment = max(local - ahead, now)

    def begin(self, now: datetime) -> "Plan":
        self.late = self.is_over(now)
        self.work_out(now)
        return self

    def go_on(self, now: datetime, clock: time | None, user: User) -> None:
        """The day stays: it is as late as it was, and managers know what they know; a new assignee knows nothing."""
        self.is_told_overdue &= user is self.user
        self.clock, self.user = clock, user
        self.moment, self.is_reminded, self.snoozed = None, False, None
        self.late &= self.is_over(now)
        self.work_out(now)

    def tick(self, now: datetime, manager: User) -> list[tuple[str, int]]:
        found = [("reminder", self.user.pk)] * self._reminds(now)
        morning = (now.astimezone(self.user.zone).replace(tzinfo=None) - timedelta(hours=8)).date()
        if not self.late and not self.is_told_overdue and morning - 7 * DAY <= self.day < morning:
            self.is_told_overdue = True
            found.append(("overdue", self.user.pk))
        last = schedule.subtract_working_days(morning, 2)
        if not self.late and not self.is_escalated and last - 6 * DAY <= self.day <= last:
            self.is_escalated = True
            found.append(("escalated", manager.pk))
        return found

    def _reminds(self, now: datetime) -> bool:
        is_own_due = not self.late and not self.is_reminded and self.moment is not None and self.moment <= now
        if self.snoozed is None:
            self.is_reminded |= is_own_due
            return is_own_due and not self.is_over(now)
        if self.snoozed > now:
            return False
        late_by, self.snoozed = now - self.snoozed, None
        self.is_reminded |= is_own_due
        is_told_soon = late_by > HOUR and not self.late and not self.is_told_overdue
        return not (self.is_over(now) and (is_told_soon or late_by > 7 * DAY))


@pytest.fixture
def people(make_user, desk, rep, colleague, manager):
    return [rep, colleague]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_message_comes_when_it_should_and_never_again(seed, people, manager, make_lead):
    rng = random.Random(seed)
    start = rng.choice(STARTS)
    lead = make_lead(assigned_to=people[0])
    with time_machine.travel(start, tick=False) as clock:
        day, at = (start + rng.randint(-1, 4) * DAY).date(), rng.choice([None, time(0), time(10), time(15), time(23)])
        plan = Plan(day, at, people[0]).begin(start)
        made = follow_ups.create(by=people[0], lead_id=lead.pk, follow_up_type="call", scheduled_date=day,
                                 scheduled_time=at)  # fmt: skip
        expected, story, still_until = [], [f"{start}: {day} {at}"], start
        for hour in range(7 * 24):
            now = start + hour * HOUR
            clock.move_to(now, tick=False)
            if rng.random() < 0.06:
                story.append(f"{now}: {act(rng, plan, made.pk, people, manager, now)}")
            if rng.random() < 0.01:
                still_until = now + rng.choice([5, 30, 100]) * HOUR
                story.append(f"{now}: the worker stands still until {still_until}")
            if now >= still_until:
                plan.work_out(now)
                tick()
                expected += [(now, *each) for each in plan.tick(now, manager)]
    assert told(made.pk) == expected, "\n".join(story)


def act(rng, plan, pk, people, manager, now):
    """Somebody does something, to the follow-up and to the model of it."""
    match rng.choice(["zone", "zone", "lead time", "snooze", "snooze", "reschedule", "reassign", "transfer", "undo"]):
        case "zone":
            user, changes = rng.choice(people), {"time_zone": rng.choice(ZONES)}
            return change(user, changes)
        case "lead time":
            user, changes = rng.choice(people), {"reminder_minutes": rng.choice(LEAD_TIMES)}
            return change(user, changes)
        case "snooze":
            plan.snoozed = now + rng.choice([1, 3, 20, 50]) * HOUR
            follow_ups.snooze(by=plan.user, follow_up_id=pk, until=plan.snoozed)
            return f"snoozed until {plan.snoozed}"
        case "reschedule":
            day, at = (now + rng.randint(-1, 3) * DAY).date(), rng.choice([None, time(9), time(16)])
            if day != plan.day:
                plan.__init__(day, at, plan.user)
                plan.begin(now)
            elif at != plan.clock:
                plan.go_on(now, at, plan.user)
            follow_ups.update(by=plan.user, follow_up_id=pk, changes={"scheduled_date": day, "scheduled_time": at})
            return f"moved to {day} {at}"
        case "undo" if (batch := TransferBatch.objects.filter(undone_by=None).last()) is not None:
            transfer_undo.undo(by=manager, batch_id=batch.pk)
            return given(plan, pk, people, now)
        case "transfer":
            other = next(each for each in people if each.pk != Lead.objects.get().assigned_to_id)
            transfers.transfer(by=manager, leads=Lead.objects.all(), to_user_id=other.pk)
            return given(plan, pk, people, now)
        case _:
            other = people[1] if plan.user is people[0] else people[0]
            follow_ups.update(by=manager, follow_up_id=pk, changes={"assigned_to": other.pk})
            return given(plan, pk, people, now)


def given(plan, pk, people, now):
    """The follow-up went to whoever has it now, or stayed where it was."""
    user = next(each for each in people if each.pk == FollowUp.objects.get(pk=pk).assigned_to_id)
    if user is not plan.user:
        plan.go_on(now, plan.clock, user)
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


def told(pk):
    """When, what and to whom."""
    words = {"follow_up_due": "reminder", "follow_up_overdue": "overdue", "escalation_overdue": "escalated"}
    rows = Notification.objects.filter(kind__in=words, context__follow_up_id=pk).order_by("pk")
    return [(at, words[kind], who) for at, kind, who in rows.values_list("not_before", "kind", "recipient")]
