"""Deliveries: which are sent, retried or given up, and that none is ever lost."""

import smtplib
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends import locmem
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import User
from notifications import delivery, kinds, outbox
from notifications.channels.email import EmailChannel, compose
from notifications.kinds import Kind
from notifications.models import Delivery, Notification, Preference

CONTEXT = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}


@pytest.fixture
def notify(rep):
    """Writes a notification and returns its delivery by email."""

    def add(key="a", recipient=rep, kind="lead_assigned", context=CONTEXT, **options):
        outbox.add(kind=kind, recipient_id=recipient.pk, dedupe_key=key, context=context, **options)
        return Delivery.objects.select_related("notification__recipient").get(notification__dedupe_key=key)

    return add


@pytest.fixture
def fail_with(monkeypatch):
    """Lets the mail server answer with a list of errors (None: no error), one after the other; then it works."""

    def patch(*errors):
        errors = list(errors)
        send = locmem.EmailBackend.send_messages

        def send_messages(self, messages):
            error = errors.pop(0) if errors else None
            if error:
                raise error
            return send(self, messages)

        monkeypatch.setattr(locmem.EmailBackend, "send_messages", send_messages)

    return patch


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_a_delivery_that_is_due_is_sent_once(notify, rep):
    row = notify()
    assert delivery.deliver() == {"sent": 1}
    assert delivery.deliver() == {}
    row.refresh_from_db()
    assert row.state == "sent"
    assert row.attempts == 1
    assert row.lease_until is None
    assert row.ended_at is not None
    (message,) = mail.outbox
    assert message.to == [rep.email]
    assert message.subject == "New lead for you: Band"
    assert "http://localhost:8080/admin/sales/lead/7/change/" in message.body


def test_a_delivery_is_not_sent_before_it_is_due(notify):
    row = notify(not_before=timezone.now() + timedelta(hours=1))
    assert delivery.deliver() == {}
    with time_machine.travel(row.next_attempt_at + timedelta(seconds=1)):
        assert delivery.deliver() == {"sent": 1}


def test_users_who_left_or_turned_the_kind_off_get_nothing(notify, rep, leaver, colleague):
    Preference.objects.create(user=colleague, kind="lead_assigned", channel="email", wanted=False)
    Preference.objects.create(user=rep, kind="run_failed", channel="email", wanted=False)
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=False)
    notify("a", leaver)
    notify("b", colleague)
    notify("c", rep)
    assert delivery.deliver() == {"off": 2, "sent": 1}
    assert states() == ["off", "off", "sent"]
    assert [message.to for message in mail.outbox] == [[rep.email]]


def test_a_temporary_refusal_is_retried_for_a_day_and_then_given_up(notify, fail_with):
    row = notify()
    fail_with(*[smtplib.SMTPDataError(451, b"later")] * 50)
    start, now, waits = timezone.now(), timezone.now(), []
    while row.state == "waiting":
        with time_machine.travel(now, tick=False):
            delivery.deliver()
            row.refresh_from_db()
        waits.append(round((row.next_attempt_at - now).total_seconds() / 60))
        now = row.next_attempt_at + timedelta(seconds=1)
    assert waits[:5] == [1, 5, 15, 60, 60]
    assert timedelta(hours=23) < row.next_attempt_at - start < timedelta(hours=25)
    assert row.state == "dead"
    assert row.last_error == "SMTPDataError(451, b'later')"


def test_a_permanent_refusal_ends_its_delivery_and_no_other(notify, fail_with):
    notify("a")
    notify("b")
    fail_with(smtplib.SMTPRecipientsRefused({"x": (550, b"no such user")}))
    assert delivery.deliver() == {"dead": 1, "sent": 1}
    assert states() == ["dead", "sent"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "no_such_kind"},
        {"kind": "leads_received", "context": {"count": 1, "leads": 5}},
        {"context": ["not a mapping"]},
    ],
    ids=["unknown kind", "wrong type in the context", "context that is a list"],
)
def test_an_email_that_cannot_be_rendered_ends_its_delivery_and_no_other(notify, fault):
    for key in "abc":
        notify(key)
    Notification.objects.filter(dedupe_key="b").update(**{"context": CONTEXT} | fault)
    assert delivery.deliver() == {"sent": 2, "dead": 1}
    assert states() == ["sent", "dead", "sent"]
    assert [message.subject for message in mail.outbox] == ["New lead for you: Band"] * 2


def test_an_address_that_smuggles_headers_ends_its_delivery_and_no_other(notify, colleague):
    User.objects.filter(pk=colleague.pk).update(email="tom@example.com\nBcc: all@example.com")
    notify("a", colleague)
    notify("b")
    assert delivery.deliver() == {"dead": 1, "sent": 1}
    assert states() == ["dead", "sent"]


def test_a_call_sends_a_limited_number_and_the_next_one_continues(notify, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH_SIZE", 2)
    monkeypatch.setattr(delivery, "MAX_BATCHES", 2)
    for key in "abcde":
        notify(key)
    assert delivery.deliver() == {"sent": 4}
    assert delivery.deliver() == {"sent": 1}
    assert delivery.deliver() == {}


def test_each_further_email_of_a_batch_costs_one_statement(notify):
    notify("a")
    notify("b")
    with CaptureQueriesContext(connection) as two:
        delivery.deliver()
    for key in range(delivery.BATCH_SIZE):
        notify(str(key))
    with CaptureQueriesContext(connection) as full_batch:
        delivery.deliver()
    assert len(full_batch) - len(two) == delivery.BATCH_SIZE - 2


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        smtplib.SMTPServerDisconnected(),
        smtplib.SMTPAuthenticationError(535, b"no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unavailable_server_costs_the_other_deliveries_no_attempt(notify, fail_with, error):
    first, second = notify("a"), notify("b")
    fail_with(error)
    assert delivery.deliver() == {"waiting": 1}
    first.refresh_from_db()
    second.refresh_from_db()
    assert states() == ["waiting", "waiting"]
    assert first.attempts == 1
    assert second.attempts == 0
    assert first.lease_until is None
    assert second.lease_until is None
    assert delivery.deliver() == {"sent": 1}


def test_the_claim_of_a_dead_worker_is_taken_over_when_its_lease_ends(notify):
    notify()
    (claimed,) = delivery._claim("email")  # and the worker dies
    assert delivery.deliver() == {}
    with time_machine.travel(claimed.lease_until + timedelta(seconds=1)):
        assert delivery.deliver() == {"sent": 1}
    assert Delivery.objects.get().attempts == 2


def test_deliveries_of_a_dead_worker_come_last_and_one_at_a_time(notify):
    left_behind = [notify(key).pk for key in "abc"]
    claimed = delivery._claim("email")  # one of these killed the worker
    fresh = notify("d").pk
    with time_machine.travel(claimed[0].lease_until + timedelta(seconds=1)):
        claims = [[row.pk for row in delivery._claim("email")] for _ in range(5)]
    assert claims == [[fresh], [left_behind[0]], [left_behind[1]], [left_behind[2]], []]


def test_a_delivery_that_kills_every_worker_is_given_up(notify):
    row = notify()
    Delivery.objects.update(attempts=len(delivery.RETRY_MINUTES) + 1)
    assert delivery.deliver() == {"dead": 1}
    row.refresh_from_db()
    assert row.state == "dead"
    assert row.last_error == "Every worker that tried to send it died."
    assert mail.outbox == []


def test_a_kind_that_is_off_by_default_is_sent_to_users_who_turned_it_on(notify, colleague, monkeypatch):
    kind = Kind("lead_assigned", "New lead", "A new lead is yours.", off_by_default=frozenset({"email"}))
    monkeypatch.setitem(kinds._kinds, "lead_assigned", kind)
    Preference.objects.create(user=colleague, kind="lead_assigned", channel="email", wanted=True)
    notify("a")
    notify("b", colleague)
    assert delivery.deliver() == {"off": 1, "sent": 1}
    assert [message.to for message in mail.outbox] == [[colleague.email]]


def test_a_worker_that_lost_its_lease_does_not_overwrite_the_result(notify):
    notify()
    (claimed,) = delivery._claim("email")
    with time_machine.travel(claimed.lease_until + timedelta(seconds=1)):
        delivery.deliver()
    delivery._mark(claimed, state="dead")
    assert states() == ["sent"]


def test_a_slow_batch_is_given_back_before_its_lease_ends(notify, settings):
    notify("a")
    notify("b")
    batch, started = delivery._claim("email"), timezone.now()
    with time_machine.travel(started + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS * 0.6)):
        assert delivery._send_batch(EmailChannel(), batch, delivery.Counter())
    for row in Delivery.objects.all():
        assert row.attempts == 0
        assert row.lease_until is None
    assert mail.outbox == []


def test_the_message_id_is_the_same_for_each_attempt(notify):
    row = notify().notification
    message_id = compose(row).message()["Message-ID"]
    assert compose(Notification.objects.get()).message()["Message-ID"] == message_id
    assert compose(notify("b").notification).message()["Message-ID"] != message_id


def test_without_a_mail_server_each_email_is_one_file(notify, settings, tmp_path: Path):
    settings.EMAIL_BACKEND, settings.MAIL_DIR = "notifications.channels.eml.EmailBackend", tmp_path / "mail"
    first, _ = notify("a"), notify("b")
    delivery.deliver()
    Delivery.objects.filter(pk=first.pk).update(state="waiting", ended_at=None)  # a crash before the result
    delivery.deliver()
    files = sorted((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    message = message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert message["Subject"] == "New lead for you: Band"
    assert message["Auto-Submitted"] == "auto-generated"
