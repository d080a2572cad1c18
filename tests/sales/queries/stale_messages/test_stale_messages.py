"""Emails that had to wait: whether each kind is still sent after something has happened meanwhile."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import User
from athena.accounts.roles import Role
from notifications import delivery, kinds, outbox, services, stale_messages
from notifications.channels.email import EmailChannel, build_message_id
from notifications.models import Delivery, Notification
from sales.models import FollowUp, Lead, LeadScoreHistory, TransferBatch
from sales.services import activities
from sales.services.follow_ups import digests, follow_ups, overdue, reminders
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads
from sales.services.ownership import handovers, transfer_undo, transfers

NOW = "2026-11-24T09:00Z"  # a Tuesday
GUIDE = "docs/development/adding-a-notification-channel.md"


class Scenario:
    """A lead of Maria's with a planned call. Each method causes a notification, or changes something meanwhile."""

    def __init__(self, make_lead, rep, colleague, manager, admin):
        self.maria, self.tom, self.manager, self.admin = rep, colleague, manager, admin
        self.lead = make_lead(assigned_to=rep, score=60, created_at="2026-11-23T09:00Z", email="a@b.example")
        self.make_lead = make_lead
        self.call = follow_ups.create(
            by=rep, lead_id=self.lead.pk, follow_up_type="call", scheduled_date=timezone.now().date()
        )

    # What causes a notification of each kind.

    def reminder(self):
        reminders.send_due_reminders()

    def snoozed_reminder(self):
        FollowUp.objects.update(reminder_sent=True)
        follow_ups.snooze(by=self.maria, follow_up_id=self.call.pk, until=timezone.now() + timedelta(hours=1))
        self.clock.shift(timedelta(hours=1))
        reminders.send_due_reminders()

    def overdue_notice(self):
        self.clock.shift(timedelta(days=1))
        overdue.send_overdue_notices()

    def escalation(self):
        self.clock.shift(timedelta(days=5))
        overdue.escalate_to_managers()
        Notification.objects.exclude(kind="escalation_overdue").delete()

    def hot_lead(self):
        LeadScoreHistory.objects.create(
            lead=self.lead, old_score=0, new_score=60, points_changed=60, reason="x", changed_at="2026-11-23T09:00Z"
        )
        overdue.escalate_to_managers()

    def reassigned_follow_up(self):
        self.call = follow_ups.create(
            by=self.manager,
            lead_id=self.lead.pk,
            follow_up_type="call",
            scheduled_date=timezone.now().date(),
            assigned_to=self.maria.pk,
        )

    def new_lead(self):
        self.lead = leads.create(by=self.manager, values={"company_name": "New", "assigned_to": self.maria.pk})

    def received_leads(self):
        Lead.objects.filter(pk=self.lead.pk).update(assigned_to=None)
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=self.lead.pk), to_user_id=self.maria.pk)

    def given_away_leads(self):
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=self.lead.pk), to_user_id=self.tom.pk)
        Notification.objects.exclude(kind="leads_transferred").delete()

    def digest(self):
        digests.send()
        Notification.objects.exclude(recipient=self.maria).delete()

    def handover(self):
        lead = self.make_lead(assigned_to=self.maria)
        self.call = follow_ups.create(
            by=self.manager,
            lead_id=lead.pk,
            follow_up_type="call",
            scheduled_date=timezone.now().date(),
            assigned_to=self.tom.pk,
        )
        handovers.hand_over(by=self.admin, user_id=self.tom.pk, receivers=[self.maria.pk])
        self.lead = lead
        Notification.objects.exclude(kind="follow_ups_received").delete()

    def unassigned_lead(self):
        self.lead = leads.create(by=None, values={"company_name": "New"})

    def unassigned_escalation(self):
        self.lead = self.make_lead()
        outbox.add(
            kind="escalation_unowned",
            recipient_id=self.manager.pk,
            dedupe_key="unowned_for_hours:1:1",
            context={"count": 1, "hours": 4, "leads": [{"id": self.lead.pk, "name": "Band"}]},
        )

    def summary(self):
        line = {"lead_id": self.lead.pk, "lead_name": "Band", "what": "inquiry_received", "count": 3}
        outbox.add(
            kind="arrivals",
            recipient_id=self.maria.pk,
            dedupe_key="arrivals:1:1",
            context={"count": 3, "lines": [line], "more": 0},
        )

    def inquiry(self):
        outbox.add(
            kind="inquiry_received",
            recipient_id=self.maria.pk,
            dedupe_key="inquiry:X",
            context={"lead_id": self.lead.pk, "lead_name": "Band", "form_name": "x", "said": "x"},
        )

    def unreturned_leads(self):
        outbox.add(
            kind="leads_not_returned",
            recipient_id=self.manager.pk,
            dedupe_key="not_returned:1:1",
            context={"count": 1, "batch_id": 1, "until": "5 May", "leads": [{"id": self.lead.pk, "name": "Band"}]},
        )

    def failed_run(self):
        outbox.add(
            kind="run_failed",
            recipient_id=self.admin.pk,
            dedupe_key="run_failed:1:1",
            context={"run_id": 1, "error": "x", "reason": "x"},
        )

    # What happens while the email waits.

    def nothing(self):
        pass

    def complete(self):
        follow_ups.complete(
            by=self.maria, follow_up_id=self.call.pk, completion_input=CompletionInput(outcome="no_answer")
        )

    def cancel(self):
        follow_ups.cancel(by=self.maria, follow_up_id=self.call.pk)

    def reschedule(self):
        changes = {"scheduled_date": timezone.now().date() + timedelta(days=9)}
        follow_ups.update(by=self.maria, follow_up_id=self.call.pk, changes=changes)

    def change_notes(self):
        follow_ups.update(by=self.maria, follow_up_id=self.call.pk, changes={"notes": "Ask for the route"})

    def reassign_to_manager(self):
        changes = {"assigned_to": self.manager.pk}
        follow_ups.update(by=self.manager, follow_up_id=self.call.pk, changes=changes)

    def reassign(self):
        follow_ups.update(by=self.manager, follow_up_id=self.call.pk, changes={"assigned_to": self.tom.pk})

    def snooze_again(self):
        follow_ups.snooze(by=self.maria, follow_up_id=self.call.pk, until=timezone.now() + timedelta(hours=3))

    def transfer(self):
        Lead.objects.filter(pk=self.lead.pk, assigned_to=None).update(assigned_to=self.maria)
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=self.lead.pk), to_user_id=self.tom.pk)

    def assign(self):
        Lead.objects.filter(pk=self.lead.pk).update(assigned_to=self.maria)

    def undo_transfer(self):
        transfer_undo.undo(by=self.manager, batch_id=TransferBatch.objects.latest("pk").pk)

    def archive(self):
        leads.archive(by=self.manager, lead_id=self.lead.pk)

    def archive_by_sql(self):
        Lead.objects.filter(pk=self.lead.pk).update(archived_at=timezone.now())

    def close(self):
        leads.update(by=self.manager, lead_id=self.lead.pk, changes={"status": "lost", "lost_reason": "price"})

    def contact(self):
        Lead.objects.filter(pk=self.lead.pk).update(first_contacted_at=timezone.now())

    def cool_down(self):
        Lead.objects.filter(pk=self.lead.pk).update(score=10)

    def move_manager(self):
        User.objects.filter(pk=self.manager.pk).update(team=self.other_desk)

    def demote_manager(self):
        User.objects.filter(pk=self.manager.pk).update(role=Role.REP)

    def move_west(self):
        """To a zone where the day before has not ended. The digest of this day was sent, so no other one comes."""
        User.objects.filter(pk=self.maria.pk).update(time_zone="Pacific/Pago_Pago")

    def move_east(self):
        self.clock.shift(timedelta(hours=3))
        User.objects.filter(pk=self.maria.pk).update(time_zone="Pacific/Kiritimati")

    def next_day(self):
        self.clock.shift(timedelta(days=1))

    def log_note(self):
        activities.log(by=self.maria, lead_id=self.lead.pk, activity_type="note", description="x")


@pytest.fixture
def scenario(make_lead, rep, colleague, manager, admin, other_desk):
    with time_machine.travel(NOW, tick=False) as clock:
        scenario = Scenario(make_lead, rep, colleague, manager, admin)
        scenario.clock, scenario.other_desk = clock, other_desk
        yield scenario


ENDING = "complete cancel reschedule archive archive_by_sql close"
# By what causes the notification: after which events it is still sent, and after which it is out of date.
TABLE = {
    "reminder": ("nothing change_notes snooze_again log_note", f"{ENDING} reassign transfer next_day"),
    "snoozed_reminder": ("nothing change_notes", f"{ENDING} reassign transfer snooze_again"),
    "overdue_notice": ("nothing change_notes snooze_again next_day", f"{ENDING} reassign transfer"),
    "escalation": (
        "nothing change_notes snooze_again next_day",
        f"{ENDING} reassign transfer move_manager demote_manager",
    ),
    "reassigned_follow_up": ("nothing change_notes next_day", f"{ENDING} reassign"),
    "hot_lead": (
        "nothing next_day",
        "archive archive_by_sql close contact cool_down transfer move_manager demote_manager",
    ),
    "new_lead": ("nothing log_note next_day", "archive close transfer"),
    "received_leads": ("nothing log_note close next_day", "archive transfer undo_transfer"),
    "given_away_leads": ("nothing next_day close", "undo_transfer archive"),
    "unreturned_leads": ("nothing next_day", "archive move_manager demote_manager"),
    "digest": ("nothing complete move_west", "next_day move_east"),
    "handover": ("nothing next_day", "complete cancel reassign_to_manager archive"),
    "unassigned_lead": ("nothing next_day", "assign archive close demote_manager"),
    "unassigned_escalation": ("nothing next_day", "assign archive close demote_manager"),
    "inquiry": ("nothing next_day close", "transfer archive"),
    "summary": ("nothing next_day close", "transfer archive"),
    "failed_run": ("nothing next_day", ""),
}
ROWS = [
    (cause, meanwhile, state)
    for cause, events in TABLE.items()
    for state, names in zip(("sent", "lapsed"), events, strict=True)
    for meanwhile in names.split()
]


def notify(scenario, cause):
    """Cause one notification and return its delivery."""
    Notification.objects.all().delete()
    getattr(scenario, cause)()
    (row,) = Delivery.objects.filter(channel="email")
    return row


@pytest.mark.parametrize(("cause", "meanwhile", "state"), ROWS)
def test_an_email_that_waited_is_sent_if_it_is_still_true(scenario, cause, meanwhile, state):
    row = notify(scenario, cause)
    getattr(scenario, meanwhile)()
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        delivery.deliver()
    row.refresh_from_db()
    sent_ids = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert row.state == state
    assert (build_message_id(row.notification) in sent_ids) == (state == "sent")
    assert bool(row.last_error) == (state == "lapsed")
    assert Notification.objects.filter(pk=row.notification_id).exists()  # it is in Athena as before


@pytest.mark.parametrize(("cause", "meanwhile", "state"), [row for row in ROWS if row[1] in ("nothing", "archive")])
def test_a_failed_email_is_sent_again_if_it_is_still_true(scenario, cause, meanwhile, state):
    row = notify(scenario, cause)
    Delivery.objects.update(state="dead", ended_at=timezone.now(), last_error="No")
    getattr(scenario, meanwhile)()
    assert services.retry(by=scenario.admin, ids=[row.pk]) == (state == "sent")
    row.refresh_from_db()
    assert row.state == ("waiting" if state == "sent" else "lapsed")
    assert row.retried_by == scenario.admin


def test_the_table_has_every_kind(scenario):
    caused = set()
    for cause in TABLE:
        caused.add(notify(scenario, cause).notification.kind)
        scenario.clock.move_to(NOW, tick=False)
        scenario.maria.refresh_from_db()
        FollowUp.objects.all().delete(), Lead.objects.update(assigned_to=scenario.maria, hot_escalated_at=None)
        User.objects.update(is_active=True, digested_on=None)
        scenario.__init__(scenario.make_lead, scenario.maria, scenario.tom, scenario.manager, scenario.admin)
    missing = {kind.name for kind in kinds.get_all()} - {"test_email"} - caused
    assert not missing, f"Add a method that causes {missing}, and its row in TABLE: see {GUIDE}."


BATCH = 20


def test_the_number_of_queries_does_not_grow_with_a_batch(scenario, make_user, desk, django_assert_num_queries):
    for cause in ("reminder", "received_leads", "unassigned_lead"):
        getattr(scenario, cause)()
    rows = list(Notification.objects.select_related("recipient").order_by("pk"))
    copies = [
        Notification.objects.create(
            kind=row.kind,
            recipient=make_user(f"m{number}{row.pk}", Role.MANAGER, desk),
            dedupe_key=f"{row.dedupe_key}:{number}",
            context=row.context,
        )
        for row in rows
        for number in range(BATCH)
    ]
    with CaptureQueriesContext(connection) as few:
        stale_messages.find_stale(rows)
    with django_assert_num_queries(len(few)):
        assert stale_messages.find_stale(copies)


def test_a_list_holds_only_what_is_still_true(scenario):
    """Of four overdue follow-ups one was completed, one rescheduled, one transferred with its lead."""
    plans = [
        follow_ups.create(
            by=scenario.maria,
            lead_id=scenario.make_lead(assigned_to=scenario.maria, company_name=name).pk,
            follow_up_type="call",
            scheduled_date=timezone.now().date(),
        )
        for name in ("Done Inc", "Moved Inc", "Given Inc", "Left Inc")
    ]
    follow_ups.cancel(by=scenario.maria, follow_up_id=scenario.call.pk)
    scenario.overdue_notice()
    follow_ups.complete(
        by=scenario.maria, follow_up_id=plans[0].pk, completion_input=CompletionInput(outcome="no_answer")
    )
    changes = {"scheduled_date": timezone.now().date()}
    follow_ups.update(by=scenario.maria, follow_up_id=plans[1].pk, changes=changes)
    given = Lead.objects.filter(pk=plans[2].lead_id)
    transfers.transfer(by=scenario.manager, leads=given, to_user_id=scenario.tom.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        delivery.deliver()
    (message,) = [message for message in mail.outbox if message.subject.startswith("Overdue")]
    assert message.subject == "Overdue: 1 follow-up"
    assert message.to == [scenario.maria.email]
    assert [name for name in ("Done", "Moved", "Given", "Left") if name in message.body] == ["Left"]
    assert Notification.objects.get(kind="follow_up_overdue").context["count"] == 4


def test_a_change_during_a_slow_batch_is_noticed(scenario, monkeypatch):
    follow_ups.create(
        by=scenario.maria, lead_id=scenario.lead.pk, follow_up_type="email", scheduled_date=timezone.now().date()
    )
    reminders.send_due_reminders()
    send = EmailChannel.send

    def slow(self, notification):
        send(self, notification)
        scenario.clock.shift(timedelta(seconds=10))
        for follow_up in FollowUp.objects.open():
            follow_ups.complete(
                by=scenario.maria, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome="no_answer")
            )

    monkeypatch.setattr(EmailChannel, "send", slow)
    assert delivery.deliver() == {"sent": 1, "lapsed": 1}
    assert Delivery.objects.get(state="lapsed").last_error == "The follow-up was completed."
