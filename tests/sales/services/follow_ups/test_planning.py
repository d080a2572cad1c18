"""The functions that plan, reassign and cancel follow-ups change only the given rows, on the assignees' clocks."""

from datetime import UTC, date, datetime, time

import pytest
import time_machine

from sales.models import FieldChange, FollowUp, Lead
from sales.services.follow_ups import planning

NOW = datetime(2026, 11, 24, 1, tzinfo=UTC)  # the evening of Monday the 23rd in New York, Tuesday in Auckland


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def plan(rep, make_lead):
    def run(day=date(2026, 11, 25), clock=None, *, lead=None, assignee=rep):
        return planning.plan_follow_up(
            lead=lead or make_lead(assigned_to=rep),
            by=rep,
            assignee=assignee,
            follow_up_type="call",
            scheduled_date=day,
            scheduled_time=clock,
            notes="",
        )

    return run


@pytest.mark.parametrize(
    ("zone", "day", "is_late"),
    [
        ("America/New_York", date(2026, 11, 23), False),
        ("America/New_York", date(2026, 11, 22), True),
        ("Pacific/Auckland", date(2026, 11, 23), True),
        ("Pacific/Auckland", date(2026, 11, 24), False),
    ],
)
def test_a_date_is_late_when_it_is_over_where_the_assignee_is(plan, rep, zone, day, is_late):
    rep.time_zone = zone
    rep.save()

    follow_up = plan(day)

    assert follow_up.late_when_planned is is_late
    assert (follow_up.remind_at is None) is is_late


def test_canceling_the_follow_ups_of_a_lead_leaves_others_alone(plan, rep):
    canceled, other = plan(), plan()

    planning.cancel_open_follow_ups(Lead.objects.filter(pk=canceled.lead_id), reason="Lead lost", by=rep)

    assert list(FollowUp.objects.open()) == [other]
    other.refresh_from_db()
    assert other.version == 1
    canceled.refresh_from_db()
    assert canceled.cancel_reason == "Lead lost"
    assert canceled.version == 2


def test_canceling_leaves_completed_follow_ups_alone(plan, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    completed = plan(lead=lead)
    FollowUp.objects.update(completed=True, completed_at=NOW, outcome="successful")
    plan(lead=lead)

    planning.cancel_open_follow_ups(Lead.objects.filter(pk=lead.pk), reason="Lead lost", by=rep)

    completed.refresh_from_db()
    assert completed.cancelled_at is None


def test_next_dates_are_refreshed_for_the_given_leads_only(plan):
    refreshed, other = plan(), plan()

    planning.refresh_next_dates(Lead.objects.filter(pk=refreshed.lead_id))

    dates = dict(Lead.objects.values_list("pk", "next_follow_up_date"))
    assert dates == {refreshed.lead_id: refreshed.due_at, other.lead_id: None}


def test_the_next_date_is_the_earliest_open_one_of_the_lead(plan, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    canceled = plan(date(2026, 11, 24), lead=lead)
    earliest = plan(date(2026, 11, 25), time(8), lead=lead)
    plan(date(2026, 11, 25), time(9), lead=lead)
    FollowUp.objects.filter(pk=canceled.pk).update(cancelled_at=NOW)

    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))

    lead.refresh_from_db()
    assert lead.next_follow_up_date == earliest.due_at


def test_reassigning_moves_the_given_follow_ups_to_the_new_assignees_clock(plan, rep, make_user, desk):
    moved, other = plan(clock=time(10)), plan(clock=time(10))
    before = FollowUp.objects.values().get(pk=other.pk)
    kiri = make_user("kiri", team=desk, time_zone="Pacific/Auckland")
    reassignment = planning.Reassignment(
        moved.pk, moved.lead_id, moved.scheduled_date, moved.scheduled_time, from_id=rep.pk, to=kiri
    )

    planning.reassign([reassignment], by_id=rep.pk)

    moved.refresh_from_db()
    assert moved.assigned_to == kiri
    assert moved.due_at == datetime(2026, 11, 24, 21, tzinfo=UTC)
    assert moved.reminder_no == 2
    assert FollowUp.objects.values().get(pk=other.pk) == before
    assert list(FieldChange.objects.values_list("lead", flat=True)) == [moved.lead_id]


@pytest.mark.parametrize(
    ("pickup", "is_warned"),
    [
        ("2026-11-25T04:00Z", True),  # the evening of the 24th where the company is
        ("2026-11-25T06:00Z", False),  # the 25th
    ],
)
def test_a_follow_up_after_the_pickup_date_on_the_companys_clock_gets_a_warning(
    plan, rep, make_lead, pickup, is_warned
):
    lead = make_lead(assigned_to=rep, pickup_at=pickup)
    lead.refresh_from_db()

    warnings = planning.find_warnings(plan(date(2026, 11, 25), lead=lead))

    assert bool(warnings) is is_warned


def test_the_time_in_a_notification_is_on_the_recipients_clock(plan, rep, make_user):
    rep.time_zone = "America/New_York"
    rep.save()
    auckland = make_user("kiri", time_zone="Pacific/Auckland").zone
    follow_up = plan(date(2026, 11, 25), time(10))

    assert planning.build_context(follow_up)["when"] == "Wed 25 Nov 2026, 10:00"
    assert planning.build_context(follow_up, auckland)["when"] == "Thu 26 Nov 2026, 04:00"
