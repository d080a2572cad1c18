"""After days without a worker: one notification for everything that is overdue, and no stale ones."""

from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest
import time_machine

from notifications.channels.email import compose
from notifications.models import Notification
from sales.models import FollowUp
from sales.services.follow_ups import follow_ups, overdue, reminders

STOPPED = "2026-11-09T06:00Z"  # a Monday, before anybody is reminded
MONDAY = date(2026, 11, 9)


@pytest.fixture
def plan(rep, make_lead):
    def make(day, by=rep, clock=None, name="Band"):
        lead = make_lead(assigned_to=by, company_name=name, phone="1")
        return follow_ups.create(
            by=by, lead_id=lead.pk, follow_up_type="call", scheduled_date=day, scheduled_time=clock
        )

    return make


def tick():
    reminders.fill_derived_columns()
    reminders.send_due_reminders()
    overdue.send_overdue_notices()
    overdue.escalate_to_managers()


def count_kinds(user):
    return Counter(Notification.objects.filter(recipient=user).values_list("kind", flat=True))


# Days without a worker, the follow-ups planned for the first of them, and what is sent when they end at noon.
@pytest.mark.parametrize(
    ("days", "count", "clock", "expected"),
    [
        (0, 1, None, {"follow_up_due": 1}),  # past its time, but the day is not over
        (0, 3, time(10), {"follow_up_due": 3}),
        (1, 1, None, {"follow_up_overdue": 1}),
        (4, 1, time(10), {"follow_up_overdue": 1}),
        (4, 12, time(10), {"follow_up_overdue": 1}),
        (7, 12, None, {"follow_up_overdue": 1}),
        (8, 12, None, {}),  # overdue for more than a week: only in the digest
        (60, 20, time(10), {}),
    ],
)
def test_notifications_after_a_standstill(rep, plan, days, count, clock, expected):
    with time_machine.travel(STOPPED, tick=False) as travel:
        for _ in range(count):
            plan(MONDAY, clock=clock)
        travel.shift(timedelta(days=days, hours=6))
        tick()
        tick()
    assert count_kinds(rep) == expected
    assert not FollowUp.objects.filter(reminder_sent=False).exists()


def test_each_person_gets_one_notification_for_all_their_overdue_follow_ups(rep, colleague, manager, plan):
    with time_machine.travel(STOPPED, tick=False) as travel:
        late = [
            plan(MONDAY + timedelta(days=day), by=user, name=f"{user} {day}")
            for user in (rep, colleague)
            for day in range(4)
        ]
        travel.shift(timedelta(days=4, hours=6))
        tick()
        tick()
        ahead = plan(MONDAY + timedelta(days=4), name="Today")
        tick()
    assert count_kinds(rep) == {"follow_up_overdue": 1, "follow_up_due": 1}
    assert count_kinds(colleague) == {"follow_up_overdue": 1}
    assert count_kinds(manager) == {"escalation_overdue": 1}

    email = compose(Notification.objects.get(recipient=rep, kind="follow_up_overdue"))
    assert email.subject == "Overdue: 4 follow-ups"

    reps = [follow_up for follow_up in late if follow_up.assigned_to == rep]
    for body in (email.body, email.alternatives[0][0]):
        assert [f"/lead/{follow_up.lead_id}/change/" in body for follow_up in late] == [
            follow_up in reps for follow_up in late
        ]
        assert f"/lead/{ahead.lead_id}/change/" not in body
    escalated = Notification.objects.get(recipient=manager)

    assert escalated.context["count"] == 4
    assert compose(escalated).subject == "Overdue in your team: 4 follow-ups"  # a holiday between
    assert "Maria" in compose(escalated).body


def test_a_long_list_ends_with_and_more(rep, plan):
    with time_machine.travel(STOPPED, tick=False) as travel:
        for _ in range(overdue.MAX_LISTED + 3):
            plan(MONDAY)
        travel.shift(timedelta(days=1, hours=6))
        tick()
    notification = Notification.objects.get()
    assert notification.context["count"] == overdue.MAX_LISTED + 3
    assert len(notification.context["follow_ups"]) == overdue.MAX_LISTED
    assert "and more" in compose(notification).body


@pytest.mark.parametrize(
    ("until", "restarted_at", "expected"),
    [
        ("2026-11-09T10:00Z", "2026-11-09T12:00Z", {"follow_up_due": 1}),  # late, on the day: one for both reminders
        ("2026-11-09T10:00Z", "2026-11-11T12:00Z", {"follow_up_overdue": 1}),
        ("2026-11-10T07:00Z", "2026-11-10T07:00Z", {"follow_up_due": 1}),  # on time, before the notice
        ("2026-11-10T07:00Z", "2026-11-11T12:00Z", {"follow_up_overdue": 1}),
        ("2026-11-20T07:00Z", "2027-01-11T12:00Z", {}),
    ],
)
def test_a_snooze_that_ends_during_a_standstill(rep, plan, until, restarted_at, expected):
    with time_machine.travel(STOPPED, tick=False) as travel:
        follow_up = plan(MONDAY)
        follow_ups.snooze(by=rep, follow_up_id=follow_up.pk, until=datetime.fromisoformat(until))
        travel.move_to(restarted_at, tick=False)
        tick()
        tick()
    assert count_kinds(rep) == expected
