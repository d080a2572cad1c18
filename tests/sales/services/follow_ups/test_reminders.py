"""The minute's work: reminders become rows, and plain SQL's rows become whole."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from athena.accounts.models import local_today
from notifications.models import Notification
from sales.models import FollowUp, Lead
from sales.services.follow_ups import follow_ups, planning, reminders
from sales.services.follow_ups.completion import CompletionInput

COUNT = 1_001


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, phone="212 555 0123")


def test_a_due_reminder_becomes_one_row(rep, lead):
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep), notes="Hi"
    )
    FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
    assert [reminders.send_due_reminders(), reminders.send_due_reminders()] == [1, 0]
    row = Notification.objects.get()
    assert (row.kind, row.recipient, row.dedupe_key) == ("follow_up_due", rep, f"due:{plan.pk}:1")
    assert row.context == {
        "follow_up_id": plan.pk, "follow_up_type": "call", "scheduled_date": plan.scheduled_date.isoformat(),
        "scheduled_time": None,
        "when": f"{plan.scheduled_date:%a %-d %b %Y}", "notes": "Hi",
        "lead_id": lead.pk, "lead_name": lead.company_name,
        "phone": "212 555 0123", "email": "",
    }  # fmt: skip
    plan.refresh_from_db()
    assert plan.reminder_sent


def test_nothing_is_said_of_what_is_not_due_done_cancelled_or_past(rep, lead):
    today = local_today(rep)
    tomorrow, past, done, cancelled = (
        follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=today + timedelta(days=days))
        for days in (1, -1, 0, 0)
    )
    follow_ups.complete(by=rep, follow_up_id=done.pk, completion_input=CompletionInput(outcome="successful"))
    follow_ups.cancel(by=rep, follow_up_id=cancelled.pk)
    FollowUp.objects.filter(pk__in=[done.pk, cancelled.pk]).update(remind_at=timezone.now() - timedelta(hours=1))
    assert (reminders.send_due_reminders(), Notification.objects.count()) == (0, 0)
    assert (past.remind_at, tomorrow.remind_at > timezone.now()) == (None, True)


def test_a_rescheduled_follow_up_reminds_again(rep, lead):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    for day in (1, 0):
        FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
        reminders.send_due_reminders()
        follow_ups.update(
            by=rep, follow_up_id=plan.pk, changes={"scheduled_date": local_today(rep) + timedelta(days=day)}
        )
    assert list(Notification.objects.order_by("pk").values_list("dedupe_key", flat=True)) == [
        f"due:{plan.pk}:1", f"due:{plan.pk}:2",
    ]  # fmt: skip


def test_many_are_claimed_in_few_statements(rep, lead, django_assert_max_num_queries):
    now = timezone.now()
    FollowUp.objects.bulk_create(
        FollowUp(
            lead=lead,
            follow_up_type="call",
            scheduled_date=local_today(rep),
            assigned_to=rep,
            due_at=now,
            remind_at=now,
        )
        for _ in range(COUNT)
    )
    with django_assert_max_num_queries(20):
        assert reminders.send_due_reminders() == COUNT
    assert Notification.objects.count() == COUNT


def test_rows_of_plain_sql_are_made_whole(rep):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO leads (company_name, email, phone) VALUES ('Band', 'A@Example.com', '212-555-0123')"
        )
        cursor.execute(
            "INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, scheduled_time, assigned_to)"
            " SELECT id, 'call', '2027-02-05', '10:00:00', %s FROM leads",
            [rep.pk],
        )
    assert [reminders.fill_derived_columns(), reminders.fill_derived_columns()] == [2, 0]
    lead, plan = Lead.objects.get(), FollowUp.objects.get()
    assert (lead.email_normalised, lead.phone_normalised) == ("a@example.com", "+12125550123")
    assert plan.due_at.isoformat() == "2027-02-05T10:00:00+00:00"
    assert (plan.remind_at.isoformat(), plan.first_scheduled_date) == ("2027-02-05T09:30:00+00:00", plan.scheduled_date)
    assert lead.next_follow_up_date == plan.due_at


def test_moving_to_another_zone_moves_what_is_due(rep, lead):
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep) + timedelta(days=9)
    )
    reminders.fill_derived_columns()
    rep.time_zone = "Asia/Tokyo"
    rep.save()
    reminders.fill_derived_columns()
    plan.refresh_from_db()
    lead.refresh_from_db()
    assert plan.due_at.hour == 0  # 09:00 in Tokyo
    assert (lead.next_follow_up_date, plan.reminder_no) == (plan.due_at, 1)


def test_another_lead_time_moves_what_is_ahead_however_it_was_set(rep, lead):
    """By a form of the admin, or by plain SQL: nobody has to say so."""
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=date(2031, 5, 5), scheduled_time=time(10)
    )
    reminders.fill_derived_columns()
    type(rep).objects.update(reminder_minutes=90)
    reminders.fill_derived_columns()
    plan.refresh_from_db()
    assert plan.due_at - plan.remind_at == timedelta(minutes=90)


@pytest.mark.parametrize("clock", [None, time(7, 5), time(16, 30, 15)])
@pytest.mark.parametrize(
    "names", [{"company_name": 'Bäärenreise "x" \'{{ y }}%s'}, {"company_name": "", "contact_name": "Jo"}]
)
def test_what_is_put_together_in_the_database_is_what_a_single_one_says(rep, make_lead, clock, names):
    lead = make_lead(assigned_to=rep, phone="1", email="a@b.example", **names)
    for month in range(1, 13):
        follow_ups.create(
            by=rep, lead_id=lead.pk, follow_up_type="quote", scheduled_date=date(2031, month, 2 * month + 1),
            scheduled_time=clock, notes="First\n\"second\" \\ {% if %}",
        )  # fmt: skip
    rows = list(FollowUp.objects.select_related("lead").annotate(told=planning.CONTEXT_EXPRESSION))
    assert [row.told for row in rows] == [planning.build_context(row) for row in rows]


def test_nothing_is_said_of_a_lead_that_was_put_away(rep, lead):
    follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
    Lead.objects.update(archived_at=timezone.now())
    assert reminders.send_due_reminders() == 0


def test_what_became_of_each_reminder(rep, colleague, lead):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    for number in (1, 2):
        FollowUp.objects.update(
            remind_at=timezone.now() - timedelta(minutes=1), reminder_sent=False, reminder_no=number
        )
        reminders.send_due_reminders()
    plan.refresh_from_db()
    assert [each.dedupe_key for each in reminders.find_reminders(plan)] == [f"due:{plan.pk}:1", f"due:{plan.pk}:2"]
