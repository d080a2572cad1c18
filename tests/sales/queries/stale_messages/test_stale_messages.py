"""Mail that waited: each kind of message, and what has happened before the mail server is there again."""

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


class World:
    """A lead of Maria's with a call on it; each method tells something, as the services do, or changes something."""

    def __init__(self, make_lead, rep, colleague, manager, admin):
        self.maria, self.tom, self.manager, self.admin = rep, colleague, manager, admin
        self.lead = make_lead(assigned_to=rep, score=60, created_at="2026-11-23T09:00Z", email="a@b.example")
        self.make_lead = make_lead
        self.call = follow_ups.create(by=rep, lead_id=self.lead.pk, follow_up_type="call",
                                      scheduled_date=timezone.now().date())  # fmt: skip

    # What is told.

    def due(self):
        reminders.send_due_reminders()

    def snooze(self):
        FollowUp.objects.update(reminder_sent=True)
        follow_ups.snooze(by=self.maria, follow_up_id=self.call.pk, until=timezone.now() + timedelta(hours=1))
        self.clock.shift(timedelta(hours=1))
        reminders.send_due_reminders()

    def overdue(self):
        self.clock.shift(timedelta(days=1))
        overdue.send_overdue_notices()

    def escalated(self):
        self.clock.shift(timedelta(days=5))
        overdue.escalate_to_managers()
        Notification.objects.exclude(kind="escalation_overdue").delete()

    def hot(self):
        LeadScoreHistory.objects.create(lead=self.lead, old_score=0, new_score=60, points_changed=60, reason="x",
                                        changed_at="2026-11-23T09:00Z")  # fmt: skip
        overdue.escalate_to_managers()

    def reassigned(self):
        self.call = follow_ups.create(by=self.manager, lead_id=self.lead.pk, follow_up_type="call",
                                      scheduled_date=timezone.now().date(), assigned_to=self.maria.pk)  # fmt: skip

    def assigned(self):
        self.lead = leads.create(by=self.manager, values={"company_name": "New", "assigned_to": self.maria.pk})

    def received(self):
        Lead.objects.filter(pk=self.lead.pk).update(assigned_to=None)
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=self.lead.pk), to_user_id=self.maria.pk)

    def given_away(self):
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=self.lead.pk), to_user_id=self.tom.pk)
        Notification.objects.exclude(kind="leads_transferred").delete()

    def digest(self):
        digests.send()
        Notification.objects.exclude(recipient=self.maria).delete()

    def handed_over(self):
        lead = self.make_lead(assigned_to=self.maria)
        self.call = follow_ups.create(by=self.manager, lead_id=lead.pk, follow_up_type="call",
                                      scheduled_date=timezone.now().date(), assigned_to=self.tom.pk)  # fmt: skip
        handovers.hand_over(by=self.admin, user_id=self.tom.pk, receivers=[self.maria.pk])
        self.lead = lead
        Notification.objects.exclude(kind="follow_ups_received").delete()

    def unowned(self):
        self.lead = leads.create(by=None, values={"company_name": "New"})

    def waiting_for_an_owner(self):
        self.lead = self.make_lead()
        outbox.add(kind="escalation_unowned", recipient_id=self.manager.pk, dedupe_key="unowned_for_hours:1:1",
                   context={"count": 1, "hours": 4, "leads": [{"id": self.lead.pk, "name": "Band"}]})  # fmt: skip

    def gathered(self):
        line = {"lead_id": self.lead.pk, "lead_name": "Band", "what": "inquiry_received", "count": 3}
        outbox.add(kind="arrivals", recipient_id=self.maria.pk, dedupe_key="arrivals:1:1",
                   context={"count": 3, "lines": [line], "more": 0})  # fmt: skip

    def inquired(self):
        outbox.add(kind="inquiry_received", recipient_id=self.maria.pk, dedupe_key="inquiry:X",
                   context={"lead_id": self.lead.pk, "lead_name": "Band", "form_name": "x", "said": "x"})  # fmt: skip

    def not_returned(self):
        outbox.add(kind="leads_not_returned", recipient_id=self.manager.pk, dedupe_key="not_returned:1:1",
                   context={"count": 1, "batch_id": 1, "until": "5 May",
                            "leads": [{"id": self.lead.pk, "name": "Band"}]})  # fmt: skip

    def failed(self):
        outbox.add(kind="run_failed", recipient_id=self.admin.pk, dedupe_key="run_failed:1:1",
                   context={"run_id": 1, "error": "x", "reason": "x"})  # fmt: skip

    # What happens meanwhile.

    def nothing(self):
        pass

    def complete(self):
        follow_ups.complete(
            by=self.maria, follow_up_id=self.call.pk, completion_input=CompletionInput(outcome="no_answer")
        )

    def cancel(self):
        follow_ups.cancel(by=self.maria, follow_up_id=self.call.pk)

    def move(self):
        changes = {"scheduled_date": timezone.now().date() + timedelta(days=9)}
        follow_ups.update(by=self.maria, follow_up_id=self.call.pk, changes=changes)

    def reword(self):
        follow_ups.update(by=self.maria, follow_up_id=self.call.pk, changes={"notes": "Ask for the route"})

    def reassign_to_manager(self):
        changes = {"assigned_to": self.manager.pk}
        follow_ups.update(by=self.manager, follow_up_id=self.call.pk, changes=changes)

    def reassign(self):
        follow_ups.update(by=self.manager, follow_up_id=self.call.pk, changes={"assigned_to": self.tom.pk})

    def put_off(self):
        follow_ups.snooze(by=self.maria, follow_up_id=self.call.pk, until=timezone.now() + timedelta(hours=3))

    def transfer(self):
        Lead.objects.filter(pk=self.lead.pk, assigned_to=None).update(assigned_to=self.maria)
        transfers.transfer(by=self.manager, leads=Lead.objects.filter(pk=self.lead.pk), to_user_id=self.tom.pk)

    def own(self):
        Lead.objects.filter(pk=self.lead.pk).update(assigned_to=self.maria)

    def undo(self):
        transfer_undo.undo(by=self.manager, batch_id=TransferBatch.objects.latest("pk").pk)

    def archive(self):
        leads.archive(by=self.manager, lead_id=self.lead.pk)

    def put_away(self):
        Lead.objects.filter(pk=self.lead.pk).update(archived_at=timezone.now())

    def lose(self):
        leads.update(by=self.manager, lead_id=self.lead.pk, changes={"status": "lost", "lost_reason": "price"})

    def contact(self):
        Lead.objects.filter(pk=self.lead.pk).update(first_contacted_at=timezone.now())

    def cool_down(self):
        Lead.objects.filter(pk=self.lead.pk).update(score=10)

    def move_manager(self):
        User.objects.filter(pk=self.manager.pk).update(team=self.other_desk)

    def demote(self):
        User.objects.filter(pk=self.manager.pk).update(role=Role.REP)

    def go_west(self):
        """Where the day before has not ended: the digest of this day is settled, so that no other comes."""
        User.objects.filter(pk=self.maria.pk).update(time_zone="Pacific/Pago_Pago")

    def go_east(self):
        self.clock.shift(timedelta(hours=3))
        User.objects.filter(pk=self.maria.pk).update(time_zone="Pacific/Kiritimati")

    def next_day(self):
        self.clock.shift(timedelta(days=1))

    def log_note(self):
        activities.log(by=self.maria, lead_id=self.lead.pk, activity_type="note", description="x")


@pytest.fixture
def world(make_lead, rep, colleague, manager, admin, other_desk):
    with time_machine.travel(NOW, tick=False) as clock:
        made = World(make_lead, rep, colleague, manager, admin)
        made.clock, made.other_desk = clock, other_desk
        yield made


ENDED = "complete cancel move archive put_away lose"
TABLE = {
    "due": ("nothing reword put_off log_note", f"{ENDED} reassign transfer next_day"),
    "snooze": ("nothing reword", f"{ENDED} reassign transfer put_off"),
    "overdue": ("nothing reword put_off next_day", f"{ENDED} reassign transfer"),
    "escalated": ("nothing reword put_off next_day", f"{ENDED} reassign transfer move_manager demote"),
    "reassigned": ("nothing reword next_day", f"{ENDED} reassign"),
    "hot": ("nothing next_day", "archive put_away lose contact cool_down transfer move_manager demote"),
    "assigned": ("nothing log_note next_day", "archive lose transfer"),
    "received": ("nothing log_note lose next_day", "archive transfer undo"),
    "given_away": ("nothing next_day lose", "undo archive"),
    "not_returned": ("nothing next_day", "archive move_manager demote"),
    "digest": ("nothing complete go_west", "next_day go_east"),
    "handed_over": ("nothing next_day", "complete cancel reassign_to_manager archive"),
    "unowned": ("nothing next_day", "own archive lose demote"),
    "waiting_for_an_owner": ("nothing next_day", "own archive lose demote"),
    "inquired": ("nothing next_day lose", "transfer archive"),
    "gathered": ("nothing next_day lose", "transfer archive"),
    "failed": ("nothing next_day", ""),
}
ROWS = [
    (message, meanwhile, end)
    for message, ends in TABLE.items()
    for end, names in zip(("sent", "lapsed"), ends, strict=True)
    for meanwhile in names.split()
]


def tell(world, message):
    """The deliveries of what is told: one, of the kind that the test is about."""
    Notification.objects.all().delete()
    getattr(world, message)()
    (row,) = Delivery.objects.filter(channel="email")
    return row


@pytest.mark.parametrize(("message", "meanwhile", "end"), ROWS)
def test_what_waited_is_sent_if_it_is_still_true(world, message, meanwhile, end):
    row = tell(world, message)
    getattr(world, meanwhile)()
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        delivery.deliver()
    row.refresh_from_db()
    is_sent = build_message_id(row.notification) in [each.extra_headers["Message-ID"] for each in mail.outbox]
    assert (row.state, is_sent) == (end, end == "sent")
    assert bool(row.last_error) == (end == "lapsed")
    assert Notification.objects.filter(pk=row.notification_id).exists()  # it is in Athena as before


@pytest.mark.parametrize(("message", "meanwhile", "end"), [row for row in ROWS if row[1] in ("nothing", "archive")])
def test_what_was_given_up_is_sent_again_if_it_is_still_true(world, message, meanwhile, end):
    row = tell(world, message)
    Delivery.objects.update(state="dead", ended_at=timezone.now(), last_error="No")
    getattr(world, meanwhile)()
    assert services.retry(by=world.admin, ids=[row.pk]) == (end == "sent")
    row.refresh_from_db()
    assert (row.state, row.retried_by) == ("waiting" if end == "sent" else "lapsed", world.admin)


def test_every_kind_says_when_it_is_no_longer_true():
    assert [kind.name for kind in kinds.get_all() if kind.find_stale is None] == []


def test_the_table_has_every_kind(world):
    told = set()
    for message in TABLE:
        told.add(tell(world, message).notification.kind)
        world.clock.move_to(NOW, tick=False)
        world.maria.refresh_from_db()
        FollowUp.objects.all().delete(), Lead.objects.update(assigned_to=world.maria, hot_escalated_at=None)
        User.objects.update(is_active=True, digested_on=None)
        world.__init__(world.make_lead, world.maria, world.tom, world.manager, world.admin)
    assert told == {kind.name for kind in kinds.get_all()} - {"test_email"}


BATCH = 20


def test_a_batch_is_asked_in_a_fixed_number_of_queries(world, make_user, desk, django_assert_num_queries):
    """However many the messages are, and however many their recipients."""
    for message in ("due", "received", "unowned"):
        getattr(world, message)()
    rows = list(Notification.objects.select_related("recipient").order_by("pk"))
    copies = [
        Notification.objects.create(kind=row.kind, recipient=make_user(f"m{number}{row.pk}", Role.MANAGER, desk),
                                    dedupe_key=f"{row.dedupe_key}:{number}", context=row.context)
        for row in rows for number in range(BATCH)
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as few:
        stale_messages.find_stale(rows)
    with django_assert_num_queries(len(few)):
        assert stale_messages.find_stale(copies)


def test_a_list_says_only_what_is_still_true(world):
    """Of four follow-ups that were late one was completed, one moved, one transferred with its lead."""
    plans = [
        follow_ups.create(by=world.maria, lead_id=world.make_lead(assigned_to=world.maria, company_name=name).pk,
                          follow_up_type="call", scheduled_date=timezone.now().date())
        for name in ("Done Inc", "Moved Inc", "Given Inc", "Left Inc")
    ]  # fmt: skip
    follow_ups.cancel(by=world.maria, follow_up_id=world.call.pk)
    world.overdue()
    follow_ups.complete(by=world.maria, follow_up_id=plans[0].pk, completion_input=CompletionInput(outcome="no_answer"))
    changes = {"scheduled_date": timezone.now().date()}
    follow_ups.update(by=world.maria, follow_up_id=plans[1].pk, changes=changes)
    given = Lead.objects.filter(pk=plans[2].lead_id)
    transfers.transfer(by=world.manager, leads=given, to_user_id=world.tom.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        delivery.deliver()
    (sent,) = [each for each in mail.outbox if each.subject.startswith("Overdue")]
    assert (sent.subject, sent.to) == ("Overdue: 1 follow-up", [world.maria.email])
    assert [name in sent.body for name in ("Done", "Moved", "Given", "Left")] == [False, False, False, True]
    assert Notification.objects.get(kind="follow_up_overdue").context["count"] == 4


def test_what_changes_while_a_slow_server_takes_the_batch_is_seen(world, monkeypatch):
    follow_ups.create(by=world.maria, lead_id=world.lead.pk, follow_up_type="email",
                              scheduled_date=timezone.now().date())  # fmt: skip
    reminders.send_due_reminders()
    send = EmailChannel.send

    def slow(self, notification):
        send(self, notification)
        world.clock.shift(timedelta(seconds=10))
        for each in FollowUp.objects.open():
            follow_ups.complete(
                by=world.maria, follow_up_id=each.pk, completion_input=CompletionInput(outcome="no_answer")
            )

    monkeypatch.setattr(EmailChannel, "send", slow)
    assert delivery.deliver() == {"sent": 1, "lapsed": 1}
    assert Delivery.objects.get(state="lapsed").last_error == "The follow-up was completed."
