"""Overdue follow-ups: the assignee is notified the next morning, the managers later, and each of them once."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from athena.accounts.models import User
from athena.accounts.roles import Role
from notifications.models import Notification
from sales.models import FollowUp, Lead, LeadScoreHistory
from sales.services.follow_ups import follow_ups, overdue
from sales.services.follow_ups.completion import CompletionInput


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, phone="212 555 0123")


@pytest.fixture
def plan(rep, lead):
    def make(at, day, **values):
        with time_machine.travel(at, tick=False):
            values = {"by": rep, "lead_id": lead.pk, "follow_up_type": "call", **values}
            return follow_ups.create(scheduled_date=datetime.fromisoformat(day).date(), **values)

    return make


def run_at(task, *times):
    """Run a task at each of these times; how many notifications it reported each time."""
    counts = []
    for at in times:
        with time_machine.travel(at, tick=False):
            counts.append(task())
    return counts


def list_notifications():
    """Kind, recipient and dedupe key of each notification."""
    return list(Notification.objects.order_by("dedupe_key").values_list("kind", "recipient", "dedupe_key"))


# Zones ahead of UTC and behind it, and nights in which the clocks go back or forward.
@pytest.mark.parametrize(
    ("zone", "day", "before", "after"),
    [
        ("Pacific/Auckland", "2026-07-01", "2026-07-01T19:59:59Z", "2026-07-01T20:00Z"),
        ("America/Los_Angeles", "2026-07-01", "2026-07-02T14:59:59Z", "2026-07-02T15:00Z"),
        ("Europe/Berlin", "2026-10-24", "2026-10-25T06:59:59Z", "2026-10-25T07:00Z"),
        ("Europe/Berlin", "2026-03-28", "2026-03-29T05:59:59Z", "2026-03-29T06:00Z"),
    ],
)
def test_the_assignee_is_notified_once_at_8_the_next_morning_on_their_clock(rep, plan, zone, day, before, after):
    User.objects.filter(pk=rep.pk).update(time_zone=zone)
    follow_up = plan(f"{day}T00:30Z", day)
    later = datetime.fromisoformat(after) + timedelta(days=3)

    assert run_at(overdue.send_overdue_notices, before, after, after, later) == [0, 1, 0, 0]
    assert list_notifications() == [("follow_up_overdue", rep.pk, f"overdue:{follow_up.pk}:1")]


def test_missed_ticks_are_made_up_for_during_a_week(plan):
    plan("2026-07-01T00:30Z", "2026-07-01")
    assert run_at(overdue.send_overdue_notices, "2026-07-08T07:00Z", "2026-07-08T09:00Z") == [1, 0]
    plan("2026-07-01T00:30Z", "2026-07-01")
    assert run_at(overdue.send_overdue_notices, "2026-07-09T09:00Z") == [0]


def test_a_rescheduled_follow_up_can_become_overdue_again(rep, plan):
    follow_up = plan("2026-07-01T00:30Z", "2026-07-01")
    assert run_at(overdue.send_overdue_notices, "2026-07-02T09:00Z") == [1]

    with time_machine.travel("2026-07-02T10:00Z", tick=False):
        follow_ups.update(by=rep, follow_up_id=follow_up.pk, changes={"scheduled_date": timezone.now().date()})
    assert run_at(overdue.send_overdue_notices, "2026-07-02T11:00Z", "2026-07-03T09:00Z") == [0, 1]
    assert [key for *_, key in list_notifications()] == [f"overdue:{follow_up.pk}:1", f"overdue:{follow_up.pk}:2"]


def test_no_notification_if_planned_in_the_past_completed_canceled_or_archived(rep, lead, plan, make_lead):
    plan("2026-07-02T09:00Z", "2026-07-01")
    completed, canceled = (plan("2026-07-01T00:30Z", "2026-07-01") for _ in range(2))
    archived = plan("2026-07-01T00:30Z", "2026-07-01", lead_id=make_lead(assigned_to=rep).pk)
    follow_ups.complete(by=rep, follow_up_id=completed.pk, completion_input=CompletionInput(outcome="successful"))
    follow_ups.cancel(by=rep, follow_up_id=canceled.pk)
    Lead.objects.filter(pk=archived.lead_id).update(archived_at=timezone.now())

    assert run_at(overdue.send_overdue_notices, "2026-07-02T09:00Z") == [0]
    assert run_at(overdue.escalate_to_managers, "2026-07-06T09:00Z") == [0]


# It was due on the Wednesday before Thanksgiving; two working days later it is Monday.
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (
            ("2026-11-27T23:00Z", "2026-11-29T12:00Z", "2026-11-30T07:59Z", "2026-11-30T08:00Z", "2026-11-30T08:01Z"),
            [0, 0, 0, 1, 0],
        ),
        (("2026-12-03T12:00Z",), [1]),
    ],
)
def test_managers_are_notified_after_two_working_days(rep, manager, admin, plan, times, expected):
    follow_up = plan("2026-11-25T00:30Z", "2026-11-25")
    assert run_at(overdue.escalate_to_managers, *times) == expected
    assert list_notifications() == [("escalation_overdue", manager.pk, f"escalated:{follow_up.pk}:1:{manager.pk}")]

    context = Notification.objects.get().context
    assert context["assignee"] == "Maria"
    assert context["days"] == 2
    assert context["lead_name"] == "Lincoln High School Band"


@pytest.mark.parametrize("setting", ["ESCALATE_OVERDUE_DAYS", "ESCALATE_HOT_HOURS"])
def test_an_escalation_that_is_turned_off_is_not_sent(settings, manager, plan, hot, setting):
    plan("2026-11-25T00:30Z", "2026-11-25")
    hot("2026-11-30T08:00Z")
    setattr(settings, setting, 0)
    kinds = {"ESCALATE_OVERDUE_DAYS": "escalation_hot", "ESCALATE_HOT_HOURS": "escalation_overdue"}

    assert run_at(overdue.escalate_to_managers, "2026-11-30T20:00Z") == [1]
    assert Notification.objects.get().kind == kinds[setting]


def test_escalations_go_to_the_managers_of_the_assignee(make_user, desk, other_desk, rep, stranger, plan, make_lead):
    plan("2026-11-25T00:30Z", "2026-11-25")
    make_user("away", Role.MANAGER, desk, is_active=False)
    other_manager, teamless_manager = make_user("far", Role.MANAGER, other_desk), make_user("free", Role.MANAGER)
    make_user("root", Role.ADMIN)
    run_at(overdue.escalate_to_managers, "2026-11-30T20:00Z")

    assert [recipient for _, recipient, _ in list_notifications()] == [
        teamless_manager.pk
    ]  # the team has no active manager

    plan("2026-11-25T00:30Z", "2026-11-25", by=stranger, lead_id=make_lead(assigned_to=stranger).pk)
    managers_own = plan(
        "2026-11-25T00:30Z", "2026-11-25", by=other_manager, lead_id=make_lead(assigned_to=other_manager).pk
    )
    run_at(overdue.escalate_to_managers, "2026-11-30T20:00Z")

    assert sorted(recipient for _, recipient, _ in list_notifications()) == sorted(
        [teamless_manager.pk, other_manager.pk]
    )  # nobody is notified of their own
    assert FollowUp.objects.get(pk=managers_own.pk).escalated_no == 1


def test_escalations_go_to_administrators_if_there_is_no_manager(admin, plan):
    plan("2026-11-25T00:30Z", "2026-11-25")
    run_at(overdue.escalate_to_managers, "2026-11-30T20:00Z")
    assert [recipient for _, recipient, _ in list_notifications()] == [admin.pk]


@pytest.fixture
def hot(make_lead, rep):
    """Create a lead that has been hot since it was created."""

    def make(since, **fields):
        lead = make_lead(**{"assigned_to": rep, "score": 60, "created_at": since, **fields})
        LeadScoreHistory.objects.create(
            lead=lead, old_score=0, new_score=60, points_changed=60, reason="New lead", changed_at=since
        )
        return lead

    return make


def test_a_hot_lead_that_nobody_contacts_is_escalated_once_after_four_hours(manager, hot):
    lead = hot("2026-11-30T08:00Z")
    assert run_at(overdue.escalate_to_managers, "2026-11-30T11:59Z", "2026-11-30T12:00Z", "2026-11-30T12:01Z") == [
        0,
        1,
        0,
    ]
    assert list_notifications() == [("escalation_hot", manager.pk, f"hot:{lead.pk}:{manager.pk}")]


def test_only_open_leads_that_stay_hot_and_uncontacted_are_escalated(manager, hot, make_lead):
    since = "2026-11-30T08:00Z"
    hot(since, first_contacted_at=since)
    hot(since, status="lost", lost_reason_id="price")
    hot(since, archived_at=since)
    hot(since, score=49)
    hot_later = make_lead(score=60, created_at=since)
    LeadScoreHistory.objects.create(
        lead=hot_later, old_score=0, new_score=60, points_changed=60, reason="x", changed_at="2026-11-30T11:00Z"
    )

    assert run_at(overdue.escalate_to_managers, "2026-11-30T14:59Z", "2026-11-30T15:00Z") == [0, 1]


def test_more_than_a_batch_of_notifications_takes_few_statements(rep, manager, lead, django_assert_max_num_queries):
    with time_machine.travel("2026-11-25T00:30Z", tick=False):
        now = timezone.now()
    FollowUp.objects.bulk_create(
        FollowUp(
            lead=lead, follow_up_type="call", scheduled_date=now.date(), assigned_to=rep, due_at=now, remind_at=now
        )
        for _ in range(overdue.MAX_LEADS_PER_BATCH + 1)
    )
    with django_assert_max_num_queries(50):
        assert run_at(overdue.send_overdue_notices, "2026-11-30T20:00Z") == [overdue.MAX_LEADS_PER_BATCH + 1]
        assert run_at(overdue.escalate_to_managers, "2026-11-30T20:00Z") == [overdue.MAX_LEADS_PER_BATCH + 1]


def test_managers_read_the_due_time_on_their_own_clock(rep, manager, plan):
    User.objects.filter(pk=rep.pk).update(time_zone="America/New_York")
    User.objects.filter(pk=manager.pk).update(time_zone="Asia/Tokyo")
    rep.refresh_from_db()
    plan("2026-11-25T00:30Z", "2026-11-25", scheduled_time=datetime(2026, 1, 1, 15).time())
    plan("2026-11-25T00:30Z", "2026-11-25")
    run_at(overdue.escalate_to_managers, "2026-12-01T20:00Z")
    escalated = Notification.objects.get(kind="escalation_overdue").context["follow_ups"]

    assert {item["when"] for item in escalated} == {
        "Thu 26 Nov 2026, 05:00",
        "Wed 25 Nov 2026",
    }
