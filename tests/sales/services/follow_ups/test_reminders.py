"""What the tick does: due reminders become notifications, and rows written by plain SQL get their derived columns."""

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


def test_a_due_reminder_becomes_one_notification(rep, lead):
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep), notes="Hi"
    )
    FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
    assert reminders.send_due_reminders() == 1
    assert reminders.send_due_reminders() == 0

    notification = Notification.objects.get()
    assert notification.kind == "follow_up_due"
    assert notification.recipient == rep
    assert notification.dedupe_key == f"due:{plan.pk}:1"
    assert notification.context == {
        "follow_up_id": plan.pk,
        "follow_up_type": "call",
        "scheduled_date": plan.scheduled_date.isoformat(),
        "scheduled_time": None,
        "when": f"{plan.scheduled_date:%a %-d %b %Y}",
        "notes": "Hi",
        "lead_id": lead.pk,
        "lead_name": lead.company_name,
        "phone": "212 555 0123",
        "email": "",
    }

    plan.refresh_from_db()
    assert plan.reminder_sent


def test_no_reminder_if_not_due_completed_canceled_or_past(rep, lead):
    today = local_today(rep)
    tomorrow, past, completed, canceled = (
        follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=today + timedelta(days=days))
        for days in (1, -1, 0, 0)
    )
    follow_ups.complete(by=rep, follow_up_id=completed.pk, completion_input=CompletionInput(outcome="successful"))
    follow_ups.cancel(by=rep, follow_up_id=canceled.pk)
    FollowUp.objects.filter(pk__in=[completed.pk, canceled.pk]).update(remind_at=timezone.now() - timedelta(hours=1))

    assert reminders.send_due_reminders() == 0
    assert Notification.objects.count() == 0
    assert past.remind_at is None
    assert tomorrow.remind_at > timezone.now()


def test_a_rescheduled_follow_up_gets_another_reminder(rep, lead):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    for day in (1, 0):
        FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
        reminders.send_due_reminders()
        follow_ups.update(
            by=rep, follow_up_id=plan.pk, changes={"scheduled_date": local_today(rep) + timedelta(days=day)}
        )
    assert list(Notification.objects.order_by("pk").values_list("dedupe_key", flat=True)) == [
        f"due:{plan.pk}:1",
        f"due:{plan.pk}:2",
    ]


def test_a_thousand_reminders_take_few_statements(rep, lead, django_assert_max_num_queries):
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


def test_rows_written_by_plain_sql_get_their_derived_columns(rep):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO leads (company_name, email, phone) VALUES ('Band', 'A@Example.com', '212-555-0123')"
        )
        cursor.execute(
            "INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, scheduled_time, assigned_to)"
            " SELECT id, 'call', '2027-02-05', '10:00:00', %s FROM leads",
            [rep.pk],
        )
    assert reminders.fill_derived_columns() == 2
    assert reminders.fill_derived_columns() == 0

    lead, plan = Lead.objects.get(), FollowUp.objects.get()
    assert lead.email_normalised == "a@example.com"
    assert lead.phone_normalised == "+12125550123"
    assert plan.due_at.isoformat() == "2027-02-05T10:00:00+00:00"
    assert plan.remind_at.isoformat() == "2027-02-05T09:30:00+00:00"
    assert plan.first_scheduled_date == plan.scheduled_date
    assert lead.next_follow_up_date == plan.due_at


def test_a_new_time_zone_of_the_assignee_changes_due_times(rep, lead):
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
    assert lead.next_follow_up_date == plan.due_at
    assert plan.reminder_no == 1


def test_new_reminder_minutes_move_the_reminders_to_come(rep, lead):
    """However they were changed: in the admin, or by plain SQL as here."""
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
def test_the_context_built_in_the_database_equals_the_one_built_in_python(rep, make_lead, clock, names):
    lead = make_lead(assigned_to=rep, phone="1", email="a@b.example", **names)
    for month in range(1, 13):
        follow_ups.create(
            by=rep,
            lead_id=lead.pk,
            follow_up_type="quote",
            scheduled_date=date(2031, month, 2 * month + 1),
            scheduled_time=clock,
            notes='First\n"second" \\ {% if %}',
        )
    rows = list(FollowUp.objects.select_related("lead").annotate(context=planning.CONTEXT_EXPRESSION))
    assert [row.context for row in rows] == [planning.build_context(row) for row in rows]


def test_no_reminder_for_an_archived_lead(rep, lead):
    follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
    Lead.objects.update(archived_at=timezone.now())
    assert reminders.send_due_reminders() == 0


def test_find_reminders_returns_each_reminder_of_a_follow_up(rep, colleague, lead):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    for number in (1, 2):
        FollowUp.objects.update(
            remind_at=timezone.now() - timedelta(minutes=1), reminder_sent=False, reminder_no=number
        )
        reminders.send_due_reminders()
    plan.refresh_from_db()
    assert [reminder.dedupe_key for reminder in reminders.find_reminders(plan)] == [
        f"due:{plan.pk}:1",
        f"due:{plan.pk}:2",
    ]
