"""What is late already and then goes to somebody else, is moved by an hour, or was written by plain SQL."""

from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.db import connection

from athena.accounts.models import User
from notifications.models import Notification
from sales.models import FollowUp, Lead, TransferBatch
from sales.services.follow_ups import follow_ups, overdue, reminders
from sales.services.ownership import handovers, transfer_undo, transfers

PLANNED = "2026-11-09T06:00Z"  # a Monday; the eleventh is a holiday
MONDAY = date(2026, 11, 9)


def tick():
    reminders.fill_derived_columns()
    reminders.send_due_reminders()
    overdue.send_overdue_notices()
    overdue.escalate_to_managers()


class Desk:
    """A call of Maria's. Each method is something that people do, or the next ticks."""

    def __init__(self, clock, lead, people, day):
        self.clock = clock
        self.maria, self.tom, self.manager, self.admin = people
        self.call = follow_ups.create(by=self.maria, lead_id=lead.pk, follow_up_type="call", scheduled_date=day,
                                      scheduled_time=time(10))  # fmt: skip

    def today(self):
        """The ticks of a day, at night and in the morning."""
        for hours in (1, 8):
            self.clock.shift(timedelta(hours=hours))
            tick()
        self.clock.shift(-timedelta(hours=9))

    def tomorrow(self):
        self.clock.shift(timedelta(days=1))
        self.today()

    def days(self):
        for _ in range(3):
            self.tomorrow()

    def still(self):
        """A day on which nothing runs."""
        self.clock.shift(timedelta(days=1))

    def transfer(self):
        transfers.transfer(by=self.manager, leads=Lead.objects.all(), to_user_id=self.tom.pk)

    def undo(self):
        transfer_undo.undo(by=self.manager, batch_id=TransferBatch.objects.latest("pk").pk)

    def reassign(self):
        follow_ups.update(by=self.manager, follow_up_id=self.call.pk, changes={"assigned_to": self.tom.pk})

    def leave(self):
        handovers.hand_over(by=self.admin, user_id=self.maria.pk, receivers=[self.tom.pk])

    def hour(self):
        follow_ups.update(by=self.maria, follow_up_id=self.call.pk, changes={"scheduled_time": time(11)})

    def go_west(self):
        User.objects.filter(pk=self.tom.pk).update(time_zone="America/Los_Angeles")


# What happens, and how often Maria and Tom are told that it is overdue, and the manager.
WAYS = ["transfer", "reassign", "leave"]
TOLD = [
    *((f"tomorrow {way}", 1, 0, 0) for way in WAYS),
    *((f"tomorrow {way} today", 1, 1, 0) for way in WAYS),
    *((f"tomorrow {way} days", 1, 1, 1) for way in WAYS),
    *((f"still {way} days", 0, 1, 1) for way in WAYS),
    *((f"{way} days", 0, 1, 1) for way in WAYS),
    *((f"days {way} days", 1, 1, 1) for way in WAYS),  # managers know of it
    ("still transfer undo today days", 1, 0, 1),
    ("still transfer today undo today days", 1, 1, 1),
    ("days hour days", 1, 0, 1),
    ("tomorrow hour days", 1, 0, 1),
    ("still hour days", 1, 0, 1),
]


@pytest.mark.parametrize(("story", "maria", "tom", "manager_"), TOLD)
def test_what_is_late_is_told_once_to_whoever_gets_it(rep, colleague, manager, admin, make_lead, story, maria, tom,
                                                      manager_):  # fmt: skip
    with time_machine.travel(PLANNED, tick=False) as clock:
        desk = Desk(clock, make_lead(assigned_to=rep), (rep, colleague, manager, admin), MONDAY)
        for each in story.split():
            getattr(desk, each)()
    assert told(rep, colleague, manager) == [maria, tom, manager_]


@pytest.mark.parametrize("way", WAYS)
def test_what_was_late_when_planned_stays_so_for_whoever_gets_it(rep, colleague, manager, admin, make_lead, way):
    with time_machine.travel(PLANNED, tick=False) as clock:
        desk = Desk(clock, make_lead(assigned_to=rep), (rep, colleague, manager, admin), MONDAY - timedelta(days=1))
        getattr(desk, way)()
        desk.days()
    assert told(rep, colleague, manager) == [0, 0, 0]


@pytest.mark.parametrize("way", WAYS)
def test_a_day_that_lasts_where_the_new_assignee_is_is_not_late_there(rep, colleague, manager, admin, make_lead, way):
    """Planned at 6 in the morning in UTC, for the day before; it is 22 o'clock of that day in Los Angeles."""
    with time_machine.travel(PLANNED, tick=False) as clock:
        desk = Desk(clock, make_lead(assigned_to=rep), (rep, colleague, manager, admin), MONDAY - timedelta(days=1))
        desk.go_west()
        getattr(desk, way)()
        tick()
        assert Notification.objects.filter(kind="follow_up_due", recipient=colleague).count() == 1
        desk.days(), desk.tomorrow()
    assert told(rep, colleague, manager) == [0, 1, 1]


def told(*people):
    kinds = ("follow_up_overdue", "escalation_overdue")
    found = Counter(Notification.objects.filter(kind__in=kinds).values_list("recipient", flat=True))
    return [found[user.pk] for user in people]


# A row is late by when it was written, not by when the tick finds it.
@pytest.mark.parametrize(
    ("day", "written", "found", "expected"),
    [
        (MONDAY, "2026-11-09T06:00Z", "2026-11-09T09:30Z", {"follow_up_due": 1}),
        (MONDAY, "2026-11-09T06:00Z", "2026-11-10T09:30Z", {"follow_up_overdue": 1}),
        (MONDAY, "2026-11-09T23:59Z", "2026-11-13T09:30Z", {"follow_up_overdue": 1}),
        (MONDAY, "2026-11-10T00:01Z", "2026-11-10T09:30Z", {}),
        (MONDAY, "2026-11-09T06:00Z", "2026-12-09T09:30Z", {}),
    ],
)
def test_a_row_of_plain_sql_that_waited_for_the_worker(rep, make_lead, day, written, found, expected):
    lead = make_lead(assigned_to=rep)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, scheduled_time, assigned_to, created_at)"
            " VALUES (%s, 'call', %s, '10:00:00', %s, %s)",
            [lead.pk, day, rep.pk, datetime.fromisoformat(written)],
        )
    with time_machine.travel(found, tick=False):
        tick(), tick()
    assert Counter(Notification.objects.filter(recipient=rep).values_list("kind", flat=True)) == expected
    assert FollowUp.objects.get().due_at is not None
