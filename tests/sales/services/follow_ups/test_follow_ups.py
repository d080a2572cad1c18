"""Planning, changing, snoozing, canceling and completing follow-ups."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from athena.accounts.models import local_today
from notifications.models import Notification
from sales import errors, schedule
from sales.models import Activity, FollowUp, Lead
from sales.services.follow_ups import follow_ups, reminders
from sales.services.follow_ups.completion import CompletionInput
from sales.services.ownership import transfers


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def plan(rep, lead):
    def make(**values):
        values = {"follow_up_type": "call", "scheduled_date": local_today(rep) + timedelta(days=1), **values}
        return follow_ups.create(**{"by": rep, "lead_id": lead.pk, **values})

    return make


def test_a_new_follow_up_is_due_on_the_assignees_clock_and_sets_the_leads_next_date(rep, lead, plan):
    rep.time_zone = "America/New_York"
    rep.save()
    later = plan(scheduled_date=date(2027, 1, 20))
    sooner = plan(scheduled_date=date(2027, 1, 10), scheduled_time=time(10))
    lead.refresh_from_db()

    assert later.due_at.isoformat() == "2027-01-20T14:00:00+00:00"
    assert sooner.remind_at.isoformat() == "2027-01-10T14:30:00+00:00"
    assert sooner.reminder_sent is False
    assert lead.next_follow_up_date == sooner.due_at
    assert sooner.assigned_to == rep
    assert sooner.created_by == rep
    assert sooner.first_scheduled_date == date(2027, 1, 10)


def test_a_past_date_is_allowed_and_never_reminded(rep, plan):
    assert plan(scheduled_date=local_today(rep) - timedelta(days=3)).remind_at is None


def test_a_salesperson_plans_for_themselves_and_a_manager_for_any_active_user(rep, manager, colleague, leaver, plan):
    with pytest.raises(errors.ReceiverNotAllowed):
        plan(assigned_to=colleague.pk)

    planned = plan(by=manager, assigned_to=colleague.pk)
    assert planned.assigned_to == colleague
    assert list(Notification.objects.values_list("recipient", "kind")) == [(colleague.pk, "follow_up_reassigned")]
    with pytest.raises(errors.Invalid):
        plan(by=manager, assigned_to=leaver.pk)


NO_USER = 999_999


def test_an_assignee_who_does_not_exist_is_refused_for_a_new_follow_up(manager, plan):
    with pytest.raises(errors.Invalid) as refused:
        plan(by=manager, assigned_to=NO_USER)

    assert refused.value.fields == {"assigned_to": "There is no such user."}
    assert not FollowUp.objects.exists()


def test_an_assignee_who_does_not_exist_is_refused_for_a_change(rep, manager, plan):
    planned = plan()

    with pytest.raises(errors.Invalid) as refused:
        follow_ups.update(by=manager, follow_up_id=planned.pk, changes={"assigned_to": NO_USER})

    assert refused.value.fields == {"assigned_to": "There is no such user."}
    planned.refresh_from_db()
    assert planned.assigned_to == rep


def test_an_inactive_assignee_is_refused_for_a_change(rep, manager, leaver, plan):
    planned = plan()

    with pytest.raises(errors.Invalid) as refused:
        follow_ups.update(by=manager, follow_up_id=planned.pk, changes={"assigned_to": leaver.pk})

    assert refused.value.fields == {"assigned_to": "This user is not active."}
    planned.refresh_from_db()
    assert planned.assigned_to == rep


def test_a_follow_up_without_an_assignee_is_refused(plan):
    with pytest.raises(errors.Invalid):
        plan(by=None)


def test_a_follow_up_leaves_the_other_leads_next_date_alone(rep, plan, make_lead):
    other = make_lead(assigned_to=rep)
    Lead.objects.filter(pk=other.pk).update(next_follow_up_date="2030-01-01T00:00Z")

    planned = plan()
    follow_ups.update(by=rep, follow_up_id=planned.pk, changes={"notes": "x"})
    follow_ups.cancel(by=rep, follow_up_id=planned.pk)

    other.refresh_from_db()
    assert other.next_follow_up_date == datetime(2030, 1, 1, tzinfo=UTC)


def test_changing_one_follow_up_leaves_the_others_alone(rep, plan):
    changed, other = plan(), plan()
    before = FollowUp.objects.values().get(pk=other.pk)

    follow_ups.update(by=rep, follow_up_id=changed.pk, changes={"scheduled_date": date(2030, 1, 1)})
    follow_ups.snooze(by=rep, follow_up_id=changed.pk, until=timezone.now() + timedelta(hours=1))
    follow_ups.cancel(by=rep, follow_up_id=changed.pk)

    assert FollowUp.objects.values().get(pk=other.pk) == before


def test_completing_one_follow_up_leaves_the_others_alone(rep, plan, make_lead):
    completed, other = plan(), plan()
    other_lead = make_lead(assigned_to=rep)
    before, lead_before = FollowUp.objects.values().get(pk=other.pk), Lead.objects.values().get(pk=other_lead.pk)

    follow_ups.complete(by=rep, follow_up_id=completed.pk, completion_input=CompletionInput(outcome="successful"))

    assert FollowUp.objects.values().get(pk=other.pk) == before
    assert Lead.objects.values().get(pk=other_lead.pk) == lead_before


def test_closing_the_lead_cancels_only_its_own_follow_ups(rep, plan, make_lead):
    completed, sibling = plan(), plan()
    other_lead = make_lead(assigned_to=rep)
    other = plan(lead_id=other_lead.pk)
    closing = CompletionInput(outcome="lost", close="lost", lost_reason="price")

    follow_ups.complete(by=rep, follow_up_id=completed.pk, completion_input=closing)

    sibling.refresh_from_db()
    other.refresh_from_db()
    other_lead.refresh_from_db()
    assert not sibling.is_open
    assert other.is_open
    assert other_lead.status == "new"
    assert other_lead.next_follow_up_date == other.due_at


def test_an_assignee_who_may_not_change_the_lead_may_not_close_it(rep, colleague, manager, plan):
    """The assignee need not be the lead's owner."""
    planned = plan(by=manager, assigned_to=colleague.pk)
    closing = CompletionInput(outcome="lost", close="lost", lost_reason="price")

    with pytest.raises(errors.NotYourLead):
        follow_ups.complete(by=colleague, follow_up_id=planned.pk, completion_input=closing)

    planned.refresh_from_db()
    assert planned.is_open
    assert Lead.objects.get().status == "new"


def test_users_who_may_not_plan_a_follow_up(colleague, stranger, plan):
    with pytest.raises(errors.NotYourLead):
        plan(by=colleague)
    with pytest.raises(errors.NotFound):
        plan(by=stranger)


def test_a_closed_lead_gets_no_follow_up(lead, plan):
    Lead.objects.filter(pk=lead.pk).update(status="won")
    with pytest.raises(errors.LeadClosed):
        plan()


def test_rescheduling_sets_the_reminder_again_and_keeps_the_first_date(rep, lead, plan):
    planned = plan()
    FollowUp.objects.update(reminder_sent=True)
    moved = follow_ups.update(
        by=rep, follow_up_id=planned.pk, changes={"scheduled_date": planned.scheduled_date + timedelta(days=5)}
    )
    lead.refresh_from_db()

    assert moved.reminder_sent is False
    assert moved.reminder_no == 2
    assert moved.version == planned.version + 1
    assert moved.first_scheduled_date == planned.scheduled_date
    assert lead.next_follow_up_date == moved.due_at == planned.due_at + timedelta(days=5)


def test_new_notes_do_not_set_the_reminder_again(rep, plan):
    planned = plan()
    FollowUp.objects.update(reminder_sent=True)
    updated = follow_ups.update(by=rep, follow_up_id=planned.pk, changes={"notes": "ask for the route"})

    assert updated.notes == "ask for the route"
    assert updated.reminder_sent is True
    assert updated.reminder_no == 1


def test_only_managers_reassign_and_the_due_time_follows_the_new_assignees_clock(rep, manager, make_user, desk, plan):
    planned = plan(scheduled_time=time(10))
    abroad = make_user("kiri", team=desk, time_zone="Pacific/Auckland")
    with pytest.raises(errors.NotAllowed):
        follow_ups.update(by=rep, follow_up_id=planned.pk, changes={"assigned_to": abroad.pk})

    reassigned = follow_ups.update(by=manager, follow_up_id=planned.pk, changes={"assigned_to": abroad.pk})
    assert reassigned.assigned_to == abroad
    assert reassigned.reminder_no == 2
    assert reassigned.due_at < planned.due_at
    assert Notification.objects.get().recipient == abroad


def test_a_canceled_follow_up_is_closed_and_leaves_the_next_date_empty(rep, lead, plan):
    planned = plan()
    canceled = follow_ups.cancel(by=rep, follow_up_id=planned.pk, reason="They called us")
    lead.refresh_from_db()

    assert canceled.is_open is False
    assert canceled.cancel_reason == "They called us"
    assert lead.next_follow_up_date is None

    for change in (follow_ups.cancel, lambda **arguments: follow_ups.update(**arguments, changes={"notes": "x"})):
        with pytest.raises(errors.FollowUpClosed):
            change(by=rep, follow_up_id=planned.pk)


def test_completing_records_the_outcome_an_activity_and_the_next_follow_up(rep, lead, plan):
    planned = plan(notes="Ask for the route", scheduled_time=time(10))
    completed = follow_ups.complete(
        by=rep,
        follow_up_id=planned.pk,
        completion_input=CompletionInput(outcome="successful", notes="Wants two coaches", schedule_next=True),
    )
    planned.refresh_from_db()
    lead.refresh_from_db()
    following = FollowUp.objects.get(pk=completed.next_follow_up_id)
    activity = Activity.objects.get(lead=lead, activity_type="call")

    assert planned.completed is True
    assert planned.completed_by == rep
    assert planned.outcome == "successful"
    assert planned.notes == "Ask for the route"
    assert planned.outcome_notes == "Wants two coaches"
    assert planned.activity == activity
    assert activity.activity_type == "call"
    assert activity.direction == "outbound"
    assert activity.follow_up == planned
    assert activity.user == rep
    assert activity.notes == "Wants two coaches"
    assert following.scheduled_date == schedule.move_to_working_day(local_today(rep) + timedelta(days=3))
    assert following.scheduled_time == time(10)
    assert following.follow_up_type == "call"
    assert lead.follow_up_count == 1
    assert lead.last_follow_up_date == planned.completed_at
    assert lead.next_follow_up_date == following.due_at
    assert lead.first_contacted_at == lead.last_activity_at == activity.occurred_at


def test_the_leads_next_date_is_that_of_its_earliest_open_follow_up(rep, lead, plan):
    first, sooner = plan(), plan(scheduled_date=local_today(rep))
    follow_ups.complete(
        by=rep,
        follow_up_id=first.pk,
        completion_input=CompletionInput(outcome="voicemail", schedule_next=True, next_follow_up_days=30),
    )
    lead.refresh_from_db()
    assert lead.next_follow_up_date == sooner.due_at


def test_completing_twice_counts_once(rep, lead, plan):
    planned = plan()
    follow_ups.complete(by=rep, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="no_answer"))
    with pytest.raises(errors.FollowUpClosed):
        follow_ups.complete(by=rep, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="successful"))

    lead.refresh_from_db()
    assert lead.follow_up_count == 1
    assert Activity.objects.count() == 1
    assert lead.next_follow_up_date is None


def test_only_the_assignee_completes(manager, admin, colleague, stranger, plan):
    planned = plan()
    for user in (manager, admin, colleague):
        with pytest.raises(errors.NotYourFollowUp):
            follow_ups.complete(
                by=user, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="successful")
            )
    with pytest.raises(errors.NotFound):
        follow_ups.complete(
            by=stranger, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="successful")
        )


def test_the_assignee_of_somebody_elses_lead_completes_but_does_not_close_it(manager, stranger, lead, plan):
    planned = plan(by=manager, assigned_to=stranger.pk)
    with pytest.raises(errors.NotYourLead):
        follow_ups.complete(
            by=stranger, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="successful", close="won")
        )

    planned.refresh_from_db()
    assert planned.is_open

    follow_ups.complete(by=stranger, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="successful"))


def test_completing_may_close_the_lead(rep, lead, plan):
    planned, other = plan(), plan()
    follow_ups.complete(
        by=rep,
        follow_up_id=planned.pk,
        completion_input=CompletionInput(outcome="successful", close="won", booked_value=Decimal("1200")),
    )
    lead.refresh_from_db()
    other.refresh_from_db()

    assert lead.status == "won"
    assert lead.booked_value == Decimal("1200")
    assert other.is_open is False


def test_closing_as_lost_needs_a_reason_and_undoes_everything_without_one(rep, lead, plan):
    planned = plan()
    with pytest.raises(errors.Invalid) as refused:
        follow_ups.complete(
            by=rep, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="lost", close="lost")
        )

    planned.refresh_from_db()
    assert list(refused.value.fields) == ["lost_reason"]
    assert planned.is_open is True
    assert Activity.objects.count() == 0


def test_the_outcome_lost_does_not_close_the_lead(rep, lead, plan):
    follow_ups.complete(
        by=rep,
        follow_up_id=plan().pk,
        completion_input=CompletionInput(outcome="lost", no_next_reason="They booked elsewhere"),
    )
    lead.refresh_from_db()
    assert lead.is_open
    assert FollowUp.objects.get().no_next_reason == "They booked elsewhere"


def test_closing_and_planning_at_once_is_refused(rep, plan):
    with pytest.raises(errors.Invalid):
        follow_ups.complete(
            by=rep,
            follow_up_id=plan().pk,
            completion_input=CompletionInput(outcome="successful", close="won", schedule_next=True),
        )


def test_overdue_means_before_the_assignees_today(rep, make_user, desk, lead, plan):
    abroad = make_user("kiri", team=desk, time_zone="Pacific/Kiritimati")  # its day begins 14 hours before UTC's
    today = local_today(abroad)
    for person, day in ((abroad, today - timedelta(days=1)), (abroad, today), (rep, local_today(rep))):
        FollowUp.objects.create(lead=lead, follow_up_type="call", scheduled_date=day, assigned_to=person)
    FollowUp.objects.create(
        lead=lead,
        follow_up_type="call",
        scheduled_date=today - timedelta(days=9),
        assigned_to=rep,
        cancelled_at=timezone.now(),
    )
    overdue = FollowUp.objects.overdue()

    assert [(follow_up.assigned_to, follow_up.scheduled_date) for follow_up in overdue] == [
        (abroad, today - timedelta(days=1))
    ]

    flags = FollowUp.objects.with_overdue().values_list("assigned_to", "is_overdue").order_by("pk")
    assert list(flags) == [(abroad.pk, True), (abroad.pk, False), (rep.pk, False), (rep.pk, False)]


@time_machine.travel("2026-11-23T15:00Z", tick=False)
def test_a_snooze_sets_another_reminder_and_keeps_the_date(rep, manager, colleague, lead, plan):
    planned = plan(scheduled_date=date(2026, 11, 23))
    FollowUp.objects.update(reminder_sent=True)
    until = timezone.now() + timedelta(hours=20)
    snoozed = follow_ups.snooze(by=manager, follow_up_id=planned.pk, until=until)

    assert snoozed.remind_at == until
    assert snoozed.reminder_sent is False
    assert snoozed.reminder_no == 1  # not a new plan
    assert snoozed.scheduled_date == planned.scheduled_date
    assert snoozed.due_at == planned.due_at

    rep.time_zone = "Asia/Tokyo"
    rep.save()
    reminders.fill_derived_columns()  # a new time zone does not end the snooze

    assert FollowUp.objects.get().remind_at == until

    with time_machine.travel(until, tick=False):
        assert reminders.send_due_reminders() == 1
        assert reminders.send_due_reminders() == 0
    with pytest.raises(errors.NotYourFollowUp):
        follow_ups.snooze(by=colleague, follow_up_id=planned.pk, until=until)

    moved = follow_ups.update(by=rep, follow_up_id=planned.pk, changes={"scheduled_date": date(2026, 11, 25)})
    assert moved.snoozed_until is None
    assert moved.remind_at == datetime(2026, 11, 24, 23, tzinfo=UTC)


@pytest.mark.parametrize("until", [timedelta(), timedelta(days=30, seconds=1)])
def test_a_snooze_ends_within_the_next_30_days(rep, plan, until):
    with time_machine.travel("2026-11-23T15:00Z", tick=False), pytest.raises(errors.Invalid):
        follow_ups.snooze(by=rep, follow_up_id=plan().pk, until=timezone.now() + until)


def test_a_transfer_ends_a_snooze(rep, manager, colleague, lead, plan):
    planned = plan()
    follow_ups.snooze(by=rep, follow_up_id=planned.pk, until=timezone.now() + timedelta(hours=1))
    transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=colleague.pk)
    moved = FollowUp.objects.get()

    assert moved.assigned_to == colleague
    assert moved.snoozed_until is None
    assert moved.remind_at == planned.remind_at


@time_machine.travel("2026-11-23T15:00Z", tick=False)
def test_a_reassigned_follow_up_reminds_the_new_assignee(rep, manager, colleague, plan):
    planned = plan(scheduled_date=local_today(rep))
    assert reminders.send_due_reminders() == 1

    follow_ups.update(by=manager, follow_up_id=planned.pk, changes={"assigned_to": colleague.pk})
    FollowUp.objects.update(remind_at=timezone.now())
    assert reminders.send_due_reminders() == 1

    reminder_rows = Notification.objects.filter(kind="follow_up_due").order_by("pk")
    assert list(reminder_rows.values_list("recipient", "dedupe_key")) == [
        (rep.pk, f"due:{planned.pk}:1"),
        (colleague.pk, f"due:{planned.pk}:2"),
    ]


@time_machine.travel("2026-11-23T15:00Z", tick=False)
def test_a_computed_date_is_a_working_day_and_a_typed_one_stays(rep, plan):
    planned = plan(scheduled_date=date(2026, 11, 28))
    assert planned.scheduled_date == date(2026, 11, 28)  # a Saturday is allowed
    completed = follow_ups.complete(
        by=rep,
        follow_up_id=planned.pk,
        completion_input=CompletionInput(outcome="no_answer", schedule_next=True, next_follow_up_days=3),
    )
    assert completed.next_follow_up.scheduled_date == date(2026, 11, 27)  # the 26th is Thanksgiving


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"schedule_next": True, "close": "won"}, "close"),
        ({"schedule_next": True, "no_next_reason": "They travel in May"}, "no_next_reason"),
    ],
)
def test_only_one_next_step_is_allowed(rep, plan, values, field):
    planned = plan()
    with pytest.raises(errors.Invalid) as caught:
        follow_ups.complete(
            by=rep, follow_up_id=planned.pk, completion_input=CompletionInput(outcome="successful", **values)
        )
    assert list(caught.value.fields) == [field]
    assert FollowUp.objects.get().is_open


def test_completing_without_a_next_step_leaves_the_lead_unplanned(rep, lead, plan):
    planned = plan()
    assert not Lead.objects.unplanned().exists()

    follow_ups.complete(
        by=rep,
        follow_up_id=planned.pk,
        completion_input=CompletionInput(outcome="successful", no_next_reason="They travel in May"),
    )
    planned.refresh_from_db()
    assert planned.no_next_reason == "They travel in May"
    assert list(Lead.objects.unplanned()) == [lead]
