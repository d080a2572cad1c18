"""Cadences plan one step after another, on working days, until the lead answers or is closed."""

from datetime import date

import pytest
import time_machine
from django.db import IntegrityError, transaction

from sales import errors
from sales.models import Cadence, CadenceEnrolment, CadenceStep, FieldChange, FollowUp, Lead
from sales.services import activities
from sales.services.follow_ups import cadences, follow_ups
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads
from sales.services.ownership import transfers

MONDAY = "2026-11-23T15:00Z"  # Thursday the 26th is Thanksgiving


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def cadence(db):
    cadence = Cadence.objects.create(name="New inquiry")
    for day, kind in ((0, "call"), (1, "email"), (3, "call")):
        CadenceStep.objects.create(cadence=cadence, day=day, follow_up_type=kind, notes=f"Day {day}")
    return cadence


@pytest.fixture
def started(rep, lead, cadence):
    with time_machine.travel(MONDAY, tick=False):
        return cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)


def list_open_follow_ups():
    rows = FollowUp.objects.open().order_by("pk")
    return list(rows.values_list("follow_up_type", "scheduled_date", "notes", "assigned_to__full_name"))


def complete(by=None, outcome="no_answer", **values):
    plan = FollowUp.objects.open().get()
    return follow_ups.complete(
        by=by or plan.assigned_to,
        follow_up_id=plan.pk,
        completion_input=CompletionInput(outcome=outcome, **values),
    )


def read_enrollment():
    """Day and stop reason of the only enrollment."""
    row = CadenceEnrolment.objects.get()
    return row.day, row.stop_reason


@time_machine.travel(MONDAY, tick=False)
def test_each_step_follows_the_one_before_on_working_days(rep, lead, cadence, started):
    assert list_open_follow_ups() == [("call", date(2026, 11, 23), "Day 0", "Maria")]

    complete()
    assert list_open_follow_ups() == [("email", date(2026, 11, 24), "Day 1", "Maria")]
    assert read_enrollment() == (1, "")

    with time_machine.travel("2026-11-24T15:00Z", tick=False):
        completed = complete()
    # Two days later is Thanksgiving; the next working day is Friday.
    assert list_open_follow_ups() == [("call", date(2026, 11, 27), "Day 3", "Maria")]
    assert completed.next_follow_up.enrolment == CadenceEnrolment.objects.get()
    assert complete().next_follow_up is None
    assert list_open_follow_ups() == []
    assert read_enrollment() == (3, "Finished")

    lead.refresh_from_db()
    assert lead.next_follow_up_date is None

    changes = FieldChange.objects.values_list("field", "old", "new", "by")
    assert list(changes) == [("cadence", None, "New inquiry", rep.pk)]


@time_machine.travel(MONDAY, tick=False)
def test_the_next_step_goes_to_the_current_owner(manager, colleague, lead, started):
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=colleague.pk)
    complete()
    assert list_open_follow_ups() == [("email", date(2026, 11, 24), "Day 1", "Tom")]


@time_machine.travel(MONDAY, tick=False)
def test_a_next_follow_up_that_the_user_plans_replaces_the_step(started):
    complete(schedule_next=True, next_follow_up_days=7, next_follow_up_type="meeting")
    assert list_open_follow_ups() == [("meeting", date(2026, 11, 30), "Day 1", "Maria")]
    assert read_enrollment() == (1, "")

    complete(schedule_next=True)
    assert list_open_follow_ups() == [("call", date(2026, 11, 25), "Day 3", "Maria")]
    assert read_enrollment() == (3, "")

    complete(schedule_next=True)  # after the last step, an ordinary follow-up
    assert list_open_follow_ups() == [("call", date(2026, 11, 27), "Day 3", "Maria")]
    assert read_enrollment() == (3, "Finished")


def log_an_answer(rep, lead):
    activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="inbound")


def win_the_lead(rep, lead):
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "won", "booked_value": 900})


def archive_the_lead(rep, lead):
    leads.archive(by=None, lead_id=lead.pk)


def stop_by_hand(rep, lead):
    cadences.stop(by=rep, lead_id=lead.pk, reason="They asked us to")


def cancel_the_step(rep, lead):
    follow_ups.cancel(by=rep, follow_up_id=FollowUp.objects.open().get().pk)


def complete_without_a_next_step(rep, lead):
    complete(no_next_reason="They will call in May")


def lose_the_lead_with_the_step(rep, lead):
    complete(close="lost", lost_reason="price")


@pytest.mark.parametrize(
    ("event", "reason", "open_count"),
    [
        (log_an_answer, "The lead answered", 1),
        (win_the_lead, "Lead won", 0),
        (archive_the_lead, "Lead archived", 0),
        (stop_by_hand, "They asked us to", 1),
        (cancel_the_step, "Its step was canceled", 0),
        (complete_without_a_next_step, "They will call in May", 0),
        (lose_the_lead_with_the_step, "Lead lost", 0),
    ],
)
@time_machine.travel(MONDAY, tick=False)
def test_events_that_stop_a_cadence(rep, lead, started, event, reason, open_count):
    event(rep, lead)
    assert read_enrollment() == (0, reason)
    assert len(list_open_follow_ups()) == open_count
    if open_count:  # the open step remains, because somebody has to react; but no next step follows it
        assert complete().next_follow_up is None


def test_activities_that_are_no_answer_do_not_stop_a_cadence(rep, lead, started):
    activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="outbound")
    activities.log(by=rep, lead_id=lead.pk, activity_type="note")
    leads.update(by=rep, lead_id=lead.pk, changes={"notes": "x", "status": "contacted"})
    assert read_enrollment() == (0, "")


def test_canceling_a_step_of_a_stopped_cadence_leaves_the_new_one_running(rep, lead, cadence, started):
    old = FollowUp.objects.get()
    cadences.stop(by=rep, lead_id=lead.pk)
    cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)
    follow_ups.cancel(by=rep, follow_up_id=old.pk)

    assert CadenceEnrolment.objects.running().count() == 1


def test_a_lead_follows_one_cadence_at_a_time(rep, lead, cadence, started):
    with pytest.raises(errors.CadenceRunning):
        cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        CadenceEnrolment.objects.create(lead=lead, cadence=cadence, day=0)
    assert FollowUp.objects.count() == 1


def test_enrollments_that_are_refused(rep, colleague, stranger, manager, leaver, lead, cadence, make_lead):
    empty = Cadence.objects.create(name="Empty")
    off = Cadence.objects.create(name="Off", is_active=False)
    CadenceStep.objects.create(cadence=off, day=0, follow_up_type="call")

    def assert_refused(error, by=rep, lead=lead, cadence_id=cadence.pk):
        with pytest.raises(error):
            cadences.enroll(by=by, lead_id=lead.pk, cadence_id=cadence_id)

    assert_refused(errors.NotYourLead, by=colleague)
    assert_refused(errors.NotFound, by=stranger)
    assert_refused(errors.CadenceNotReady, cadence_id=empty.pk)
    assert_refused(errors.CadenceNotReady, cadence_id=off.pk)
    assert_refused(errors.Invalid, cadence_id=off.pk + 1)
    assert_refused(errors.LeadClosed, lead=make_lead(assigned_to=rep, status="won"))
    assert_refused(errors.LeadUnassigned, by=manager, lead=make_lead())
    assert_refused(errors.LeadUnassigned, by=manager, lead=make_lead(assigned_to=leaver))
    with pytest.raises(errors.NoCadence):
        cadences.stop(by=rep, lead_id=lead.pk)
    assert not FollowUp.objects.exists()


@time_machine.travel(MONDAY, tick=False)
def test_a_changed_cadence_continues_after_the_day_of_the_last_step(manager, cadence, started):
    first, second, _ = cadence.steps.all()
    second.day = 2
    cadences.save(
        by=manager,
        cadence=cadence,
        removed=[first],
        steps=[second, CadenceStep(day=1, follow_up_type="meeting", notes="New")],
    )
    complete()

    assert list_open_follow_ups() == [("meeting", date(2026, 11, 24), "New", "Maria")]


def test_only_managers_define_cadences(rep, cadence):
    with pytest.raises(errors.NotAllowed):
        cadences.save(by=rep, cadence=cadence, steps=[], removed=[])


@time_machine.travel(MONDAY, tick=False)
def test_the_first_step_is_planned_where_the_owner_is(rep, lead, cadence):
    rep.time_zone = "Pacific/Auckland"  # it is Tuesday there, and Monday where the company is
    rep.save()

    enrolment = cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)

    assert enrolment.follow_up.scheduled_date == date(2026, 11, 24)


@pytest.fixture
def enroll(rep, cadence, make_lead):
    """Enroll a new lead."""

    def run():
        lead = make_lead(assigned_to=rep)
        return cadences.enroll(by=rep, lead_id=lead.pk, cadence_id=cadence.pk)

    return run


def test_stopping_all_but_one_leaves_other_leads_alone(enroll):
    kept, merged, other = enroll(), enroll(), enroll()

    cadences.stop_all_but_one(kept.lead, [merged.lead], reason="Merged")

    merged.refresh_from_db()
    assert merged.stop_reason == "Merged"
    assert set(CadenceEnrolment.objects.running()) == {kept, other}


def test_stopping_all_but_one_keeps_the_oldest_if_the_kept_lead_has_none(rep, enroll, make_lead):
    older, newer = enroll(), enroll()

    cadences.stop_all_but_one(make_lead(assigned_to=rep), [newer.lead, older.lead], reason="Merged")

    assert list(CadenceEnrolment.objects.running()) == [older]


def test_stopping_for_leads_leaves_other_leads_alone(enroll):
    stopped, other = enroll(), enroll()

    cadences.stop_for_leads(Lead.objects.filter(pk=stopped.lead_id), reason="The lead answered")

    stopped.refresh_from_db()
    assert stopped.stop_reason == "The lead answered"
    assert list(CadenceEnrolment.objects.running()) == [other]


def test_stopping_at_a_follow_up_leaves_other_cadences_alone(enroll):
    stopped, other = enroll(), enroll()

    cadences.stop_at_follow_up(stopped.follow_up, reason="Its step was canceled")

    assert list(CadenceEnrolment.objects.running()) == [other]


def test_stopping_by_hand_leaves_other_cadences_alone(rep, enroll):
    stopped, other = enroll(), enroll()

    cadences.stop(by=rep, lead_id=stopped.lead_id)

    assert list(CadenceEnrolment.objects.running()) == [other]


def test_completing_a_step_advances_only_its_own_cadence(rep, enroll):
    moved, other = enroll(), enroll()

    follow_ups.complete(by=rep, follow_up_id=moved.follow_up_id, completion_input=CompletionInput(outcome="no_answer"))

    moved.refresh_from_db()
    other.refresh_from_db()
    assert moved.day == 1
    assert other.day == 0


def test_the_last_step_stops_only_its_own_cadence(rep, enroll):
    finished, other = enroll(), enroll()
    CadenceEnrolment.objects.filter(pk=finished.pk).update(day=3)

    follow_ups.complete(
        by=rep, follow_up_id=finished.follow_up_id, completion_input=CompletionInput(outcome="successful")
    )

    finished.refresh_from_db()
    assert finished.stop_reason == "Finished"
    assert list(CadenceEnrolment.objects.running()) == [other]


def test_a_step_of_another_cadence_is_not_the_next_one(rep, enroll):
    enrolment = enroll()
    longer = Cadence.objects.create(name="Longer")
    CadenceStep.objects.create(cadence=longer, day=2, follow_up_type="meeting")
    CadenceEnrolment.objects.filter(pk=enrolment.pk).update(day=1)

    result = follow_ups.complete(
        by=rep, follow_up_id=enrolment.follow_up_id, completion_input=CompletionInput(outcome="no_answer")
    )

    assert result.next_follow_up.follow_up_type == "call"  # of day 3
