"""Overdue follow-ups that are then reassigned or moved by an hour, and rows that plain SQL wrote."""

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


class Scenario:
    """A call that Maria has planned. Each method is something that people do, or runs the ticks of the next days."""

    def __init__(self, clock, lead, people, day):
        self.clock = clock
        self.maria, self.tom, self.manager, self.admin = people
        self.call = follow_ups.create(
            by=self.maria, lead_id=lead.pk, follow_up_type="call", scheduled_date=day, scheduled_time=time(10)
        )

    def today(self):
        """Run the ticks of the day, at night and in the morning."""
        for hours in (1, 8):
            self.clock.shift(timedelta(hours=hours))
            tick()
        self.clock.shift(-timedelta(hours=9))

    def tomorrow(self):
        self.clock.shift(timedelta(days=1))
        self.today()

    def three_days(self):
        for _ in range(3):
            self.tomorrow()

    def standstill(self):
        """Let a day pass on which nothing runs."""
        self.clock.shift(timedelta(days=1))

    def transfer(self):
        transfers.transfer(by=self.manager, leads=Lead.objects.all(), to_user_id=self.tom.pk)

    def undo(self):
        transfer_undo.undo(by=self.manager, batch_id=TransferBatch.objects.latest("pk").pk)

    def reassign(self):
        follow_ups.update(by=self.manager, follow_up_id=self.call.pk, changes={"assigned_to": self.tom.pk})

    def hand_over(self):
        handovers.hand_over(by=self.admin, user_id=self.maria.pk, receivers=[self.tom.pk])

    def move_by_an_hour(self):
        follow_ups.update(by=self.maria, follow_up_id=self.call.pk, changes={"scheduled_time": time(11)})

    def move_tom_west(self):
        User.objects.filter(pk=self.tom.pk).update(time_zone="America/Los_Angeles")


# The steps of a story, and how many overdue notifications Maria, Tom and the manager get.
REASSIGNMENTS = ["transfer", "reassign", "hand_over"]
STORIES = [
    *((f"tomorrow {reassignment}", 1, 0, 0) for reassignment in REASSIGNMENTS),
    *((f"tomorrow {reassignment} today", 1, 1, 0) for reassignment in REASSIGNMENTS),
    *((f"tomorrow {reassignment} three_days", 1, 1, 1) for reassignment in REASSIGNMENTS),
    *((f"standstill {reassignment} three_days", 0, 1, 1) for reassignment in REASSIGNMENTS),
    *((f"{reassignment} three_days", 0, 1, 1) for reassignment in REASSIGNMENTS),
    # The manager was notified before:
    *((f"three_days {reassignment} three_days", 1, 1, 1) for reassignment in REASSIGNMENTS),
    ("standstill transfer undo today three_days", 1, 0, 1),
    ("standstill transfer today undo today three_days", 1, 1, 1),
    ("three_days move_by_an_hour three_days", 1, 0, 1),
    ("tomorrow move_by_an_hour three_days", 1, 0, 1),
    ("standstill move_by_an_hour three_days", 1, 0, 1),
]


@pytest.mark.parametrize(("story", "maria_count", "tom_count", "manager_count"), STORIES)
def test_each_new_assignee_of_an_overdue_follow_up_is_notified_once(
    rep, colleague, manager, admin, make_lead, story, maria_count, tom_count, manager_count
):
    with time_machine.travel(PLANNED, tick=False) as clock:
        scenario = Scenario(clock, make_lead(assigned_to=rep), (rep, colleague, manager, admin), MONDAY)
        for step in story.split():
            getattr(scenario, step)()
    assert count_overdue_notifications(rep, colleague, manager) == [maria_count, tom_count, manager_count]


@pytest.mark.parametrize("reassignment", REASSIGNMENTS)
def test_nobody_is_notified_of_a_follow_up_that_was_planned_in_the_past(
    rep, colleague, manager, admin, make_lead, reassignment
):
    with time_machine.travel(PLANNED, tick=False) as clock:
        scenario = Scenario(
            clock, make_lead(assigned_to=rep), (rep, colleague, manager, admin), MONDAY - timedelta(days=1)
        )
        getattr(scenario, reassignment)()
        scenario.three_days()
    assert count_overdue_notifications(rep, colleague, manager) == [0, 0, 0]


@pytest.mark.parametrize("reassignment", REASSIGNMENTS)
def test_a_follow_up_is_not_late_if_its_day_lasts_where_the_new_assignee_is(
    rep, colleague, manager, admin, make_lead, reassignment
):
    """It is planned at 06:00 UTC for the day before; in Los Angeles it is 22:00 of that day."""
    with time_machine.travel(PLANNED, tick=False) as clock:
        scenario = Scenario(
            clock, make_lead(assigned_to=rep), (rep, colleague, manager, admin), MONDAY - timedelta(days=1)
        )
        scenario.move_tom_west()
        getattr(scenario, reassignment)()
        tick()
        assert Notification.objects.filter(kind="follow_up_due", recipient=colleague).count() == 1
        scenario.three_days()
        scenario.tomorrow()
    assert count_overdue_notifications(rep, colleague, manager) == [0, 1, 1]


def count_overdue_notifications(*people):
    kinds = ("follow_up_overdue", "escalation_overdue")
    counts = Counter(Notification.objects.filter(kind__in=kinds).values_list("recipient", flat=True))
    return [counts[user.pk] for user in people]


# Whether a row is late depends on when it was written, not on when the tick finds it.
@pytest.mark.parametrize(
    ("day", "written_at", "found_at", "expected"),
    [
        (MONDAY, "2026-11-09T06:00Z", "2026-11-09T09:30Z", {"follow_up_due": 1}),
        (MONDAY, "2026-11-09T06:00Z", "2026-11-10T09:30Z", {"follow_up_overdue": 1}),
        (MONDAY, "2026-11-09T23:59Z", "2026-11-13T09:30Z", {"follow_up_overdue": 1}),
        (MONDAY, "2026-11-10T00:01Z", "2026-11-10T09:30Z", {}),
        (MONDAY, "2026-11-09T06:00Z", "2026-12-09T09:30Z", {}),
    ],
)
def test_a_row_of_plain_sql_that_waits_for_the_worker(rep, make_lead, day, written_at, found_at, expected):
    lead = make_lead(assigned_to=rep)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, scheduled_time, assigned_to, created_at)"
            " VALUES (%s, 'call', %s, '10:00:00', %s, %s)",
            [lead.pk, day, rep.pk, datetime.fromisoformat(written_at)],
        )
    with time_machine.travel(found_at, tick=False):
        tick()
        tick()

    assert Counter(Notification.objects.filter(recipient=rep).values_list("kind", flat=True)) == expected
    assert FollowUp.objects.get().due_at is not None
