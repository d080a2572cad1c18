"""The minute's work: reminders become rows, and plain SQL's rows become whole."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from athena.accounts.models import local_today
from notifications.models import Notification
from sales.models import FollowUp, Lead
from sales.services import follow_ups, reminders


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, phone="212 555 0123")


def test_a_due_reminder_becomes_one_row(rep, lead):
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep), notes="Hi"
    )
    FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
    assert [reminders.claim_due(), reminders.claim_due()] == [1, 0]
    row = Notification.objects.get()
    assert (row.kind, row.recipient, row.dedupe_key) == ("follow_up_due", rep, f"due:{plan.pk}:1")
    assert row.context == {
        "follow_up_id": plan.pk, "follow_up_type": "call", "scheduled_date": plan.scheduled_date.isoformat(),
        "scheduled_time": None,
        "when": f"{plan.scheduled_date:%A, %-d %B %Y}", "notes": "Hi",
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
    follow_ups.complete(by=rep, follow_up_id=done.pk, outcome="successful")
    follow_ups.cancel(by=rep, follow_up_id=cancelled.pk)
    FollowUp.objects.filter(pk__in=[done.pk, cancelled.pk]).update(remind_at=timezone.now() - timedelta(hours=1))
    assert (reminders.claim_due(), Notification.objects.count()) == (0, 0)
    assert (past.remind_at, tomorrow.remind_at > timezone.now()) == (None, True)


def test_a_rescheduled_follow_up_reminds_again(rep, lead):
    plan = follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep))
    for day in (1, 0):
        FollowUp.objects.update(remind_at=timezone.now() - timedelta(minutes=1))
        reminders.claim_due()
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
        for _ in range(reminders.BATCH * 2 + 1)
    )
    with django_assert_max_num_queries(40):
        assert reminders.claim_due() == reminders.BATCH * 2 + 1
    assert Notification.objects.count() == reminders.BATCH * 2 + 1


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
    assert [reminders.fill_derived(), reminders.fill_derived()] == [2, 0]
    lead, plan = Lead.objects.get(), FollowUp.objects.get()
    assert (lead.email_normalised, lead.phone_normalised) == ("a@example.com", "+12125550123")
    assert plan.due_at.isoformat() == "2027-02-05T10:00:00+00:00"
    assert (plan.remind_at.isoformat(), plan.first_scheduled_date) == ("2027-02-05T09:30:00+00:00", plan.scheduled_date)
    assert lead.next_follow_up_date == plan.due_at


def test_moving_to_another_zone_moves_what_is_due(rep, lead):
    plan = follow_ups.create(
        by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=local_today(rep) + timedelta(days=9)
    )
    reminders.fill_derived()
    rep.time_zone = "Asia/Tokyo"
    rep.save()
    reminders.fill_derived()
    plan.refresh_from_db()
    lead.refresh_from_db()
    assert plan.due_at.hour == 0  # 09:00 in Tokyo
    assert (lead.next_follow_up_date, plan.reminder_no) == (plan.due_at, 1)
