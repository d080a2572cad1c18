"""What was not done in time: told the morning after, to the managers later, and once."""

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


def told(act, *times):
    """How many were told at each of these times."""
    counts = []
    for each in times:
        with time_machine.travel(each, tick=False):
            counts.append(act())
    return counts


def rows():
    return list(Notification.objects.order_by("dedupe_key").values_list("kind", "recipient", "dedupe_key"))


# Ahead of UTC, behind it, and where the clock is put back, or forward, that night.
@pytest.mark.parametrize(
    ("zone", "day", "before", "after"),
    [
        ("Pacific/Auckland", "2026-07-01", "2026-07-01T19:59:59Z", "2026-07-01T20:00Z"),
        ("America/Los_Angeles", "2026-07-01", "2026-07-02T14:59:59Z", "2026-07-02T15:00Z"),
        ("Europe/Berlin", "2026-10-24", "2026-10-25T06:59:59Z", "2026-10-25T07:00Z"),
        ("Europe/Berlin", "2026-03-28", "2026-03-29T05:59:59Z", "2026-03-29T06:00Z"),
    ],
)
def test_at_8_on_the_assignees_clock_the_morning_after_once(rep, plan, zone, day, before, after):
    User.objects.filter(pk=rep.pk).update(time_zone=zone)
    made = plan(f"{day}T00:30Z", day)
    later = datetime.fromisoformat(after) + timedelta(days=3)
    assert told(overdue.send_overdue_notices, before, after, after, later) == [0, 1, 0, 0]
    assert rows() == [("follow_up_overdue", rep.pk, f"overdue:{made.pk}:1")]


def test_a_missed_tick_is_made_up_for_a_week(plan):
    plan("2026-07-01T00:30Z", "2026-07-01")
    assert told(overdue.send_overdue_notices, "2026-07-08T07:00Z", "2026-07-08T09:00Z") == [1, 0]
    plan("2026-07-01T00:30Z", "2026-07-01")
    assert told(overdue.send_overdue_notices, "2026-07-09T09:00Z") == [0]


def test_a_new_plan_can_be_overdue_again(rep, plan):
    made = plan("2026-07-01T00:30Z", "2026-07-01")
    assert told(overdue.send_overdue_notices, "2026-07-02T09:00Z") == [1]
    with time_machine.travel("2026-07-02T10:00Z", tick=False):
        follow_ups.update(by=rep, follow_up_id=made.pk, changes={"scheduled_date": timezone.now().date()})
    assert told(overdue.send_overdue_notices, "2026-07-02T11:00Z", "2026-07-03T09:00Z") == [0, 1]
    assert [key for *_, key in rows()] == [f"overdue:{made.pk}:1", f"overdue:{made.pk}:2"]


def test_nothing_is_said_of_what_was_past_from_the_first_done_cancelled_or_archived(rep, lead, plan, make_lead):
    plan("2026-07-02T09:00Z", "2026-07-01")
    done, cancelled = (plan("2026-07-01T00:30Z", "2026-07-01") for _ in range(2))
    away = plan("2026-07-01T00:30Z", "2026-07-01", lead_id=make_lead(assigned_to=rep).pk)
    follow_ups.complete(by=rep, follow_up_id=done.pk, completion_input=CompletionInput(outcome="successful"))
    follow_ups.cancel(by=rep, follow_up_id=cancelled.pk)
    Lead.objects.filter(pk=away.lead_id).update(archived_at=timezone.now())
    assert told(overdue.send_overdue_notices, "2026-07-02T09:00Z") == [0]
    assert told(overdue.escalate_to_managers, "2026-07-06T09:00Z") == [0]


# Wednesday before Thanksgiving: two working days later it is Monday.
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("2026-11-27T23:00Z", "2026-11-29T12:00Z", "2026-11-30T07:59Z", "2026-11-30T08:00Z", "2026-11-30T08:01Z"),
         [0, 0, 0, 1, 0]),
        (("2026-12-03T12:00Z",), [1]),
    ],
)  # fmt: skip
def test_managers_hear_of_it_after_two_working_days(rep, manager, admin, plan, times, expected):
    made = plan("2026-11-25T00:30Z", "2026-11-25")
    assert told(overdue.escalate_to_managers, *times) == expected
    assert rows() == [("escalation_overdue", manager.pk, f"escalated:{made.pk}:1:{manager.pk}")]
    context = Notification.objects.get().context
    assert (context["assignee"], context["days"], context["lead_name"]) == ("Maria", 2, "Lincoln High School Band")


@pytest.mark.parametrize("setting", ["ESCALATE_OVERDUE_DAYS", "ESCALATE_HOT_HOURS"])
def test_never_where_it_is_switched_off(settings, manager, plan, hot, setting):
    plan("2026-11-25T00:30Z", "2026-11-25")
    hot("2026-11-30T08:00Z")
    setattr(settings, setting, 0)
    kinds = {"ESCALATE_OVERDUE_DAYS": "escalation_hot", "ESCALATE_HOT_HOURS": "escalation_overdue"}
    assert told(overdue.escalate_to_managers, "2026-11-30T20:00Z") == [1]
    assert Notification.objects.get().kind == kinds[setting]


def test_who_answers_for_somebody(make_user, desk, other_desk, rep, stranger, plan, make_lead):
    plan("2026-11-25T00:30Z", "2026-11-25")
    make_user("away", Role.MANAGER, desk, is_active=False)
    far, free = make_user("far", Role.MANAGER, other_desk), make_user("free", Role.MANAGER)
    make_user("root", Role.ADMIN)
    told(overdue.escalate_to_managers, "2026-11-30T20:00Z")
    assert [who for _, who, _ in rows()] == [free.pk]  # nobody is left to manage the team
    plan("2026-11-25T00:30Z", "2026-11-25", by=stranger, lead_id=make_lead(assigned_to=stranger).pk)
    own = plan("2026-11-25T00:30Z", "2026-11-25", by=far, lead_id=make_lead(assigned_to=far).pk)
    told(overdue.escalate_to_managers, "2026-11-30T20:00Z")
    assert sorted(who for _, who, _ in rows()) == sorted([free.pk, far.pk])  # and not of one's own to oneself
    assert FollowUp.objects.get(pk=own.pk).escalated_no == 1


def test_administrators_where_there_is_no_manager(admin, plan):
    plan("2026-11-25T00:30Z", "2026-11-25")
    told(overdue.escalate_to_managers, "2026-11-30T20:00Z")
    assert [who for _, who, _ in rows()] == [admin.pk]


@pytest.fixture
def hot(make_lead, rep):
    """A lead that came in, and was hot from then on."""

    def make(since, **fields):
        lead = make_lead(**{"assigned_to": rep, "score": 60, "created_at": since, **fields})
        LeadScoreHistory.objects.create(
            lead=lead, old_score=0, new_score=60, points_changed=60, reason="New lead", changed_at=since
        )
        return lead

    return make


def test_a_hot_lead_that_nobody_contacts_is_told_after_hours_once(manager, hot):
    lead = hot("2026-11-30T08:00Z")
    assert told(overdue.escalate_to_managers, "2026-11-30T11:59Z", "2026-11-30T12:00Z", "2026-11-30T12:01Z") == [
        0,
        1,
        0,
    ]
    assert rows() == [("escalation_hot", manager.pk, f"hot:{lead.pk}:{manager.pk}")]


def test_only_what_has_been_hot_and_uncontacted_for_so_long(manager, hot, make_lead):
    since = "2026-11-30T08:00Z"
    hot(since, first_contacted_at=since)
    hot(since, status="lost", lost_reason_id="price")
    hot(since, archived_at=since)
    hot(since, score=49)
    late = make_lead(score=60, created_at=since)
    LeadScoreHistory.objects.create(
        lead=late, old_score=0, new_score=60, points_changed=60, reason="x", changed_at="2026-11-30T11:00Z"
    )
    assert told(overdue.escalate_to_managers, "2026-11-30T14:59Z", "2026-11-30T15:00Z") == [0, 1]


def test_many_are_told_in_few_statements(rep, manager, lead, django_assert_max_num_queries):
    with time_machine.travel("2026-11-25T00:30Z", tick=False):
        now = timezone.now()
    FollowUp.objects.bulk_create(
        FollowUp(
            lead=lead, follow_up_type="call", scheduled_date=now.date(), assigned_to=rep, due_at=now, remind_at=now
        )
        for _ in range(overdue.MAX_LEADS_PER_BATCH + 1)
    )
    with django_assert_max_num_queries(50):
        assert told(overdue.send_overdue_notices, "2026-11-30T20:00Z") == [overdue.MAX_LEADS_PER_BATCH + 1]
        assert told(overdue.escalate_to_managers, "2026-11-30T20:00Z") == [overdue.MAX_LEADS_PER_BATCH + 1]


def test_managers_read_when_it_was_on_their_own_clock(rep, manager, plan):
    User.objects.filter(pk=rep.pk).update(time_zone="America/New_York")
    User.objects.filter(pk=manager.pk).update(time_zone="Asia/Tokyo")
    rep.refresh_from_db()
    plan("2026-11-25T00:30Z", "2026-11-25", scheduled_time=datetime(2026, 1, 1, 15).time())
    plan("2026-11-25T00:30Z", "2026-11-25")
    told(overdue.escalate_to_managers, "2026-12-01T20:00Z")
    escalated = Notification.objects.get(kind="escalation_overdue").context["follow_ups"]
    assert {item["when"] for item in escalated} == {
        "Thu 26 Nov 2026, 05:00", "Wed 25 Nov 2026",
    }  # fmt: skip
