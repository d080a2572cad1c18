"""Delivery: what is sent, tried again, given up, and never lost."""

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

ASSIGNED = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}


@pytest.fixture
def tell(rep):
    def make(key="a", recipient=rep, kind="lead_assigned", context=ASSIGNED, **options):
        outbox.add(kind=kind, recipient_id=recipient.pk, dedupe_key=key, context=context, **options)
        return Delivery.objects.select_related("notification__recipient").get(notification__dedupe_key=key)

    return make


@pytest.fixture
def failing(monkeypatch):
    """Make the mail server answer as told, a list of errors (or None) in turn; then it works."""

    def make(*answers):
        answers = list(answers)
        send = locmem.EmailBackend.send_messages

        def send_messages(self, messages):
            error = answers.pop(0) if answers else None
            if error:
                raise error
            return send(self, messages)

        monkeypatch.setattr(locmem.EmailBackend, "send_messages", send_messages)

    return make


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_what_is_due_is_sent_once(tell, rep):
    row = tell()
    assert [delivery.deliver(), delivery.deliver()] == [{"sent": 1}, {}]
    row.refresh_from_db()
    assert (row.state, row.attempts, row.lease_until, row.ended_at is None) == ("sent", 1, None, False)
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([rep.email], "New lead for you: Band")
    assert "http://localhost:8080/admin/sales/lead/7/change/" in message.body


def test_not_before(tell):
    row = tell(not_before=timezone.now() + timedelta(hours=1))
    assert delivery.deliver() == {}
    with time_machine.travel(row.next_attempt_at + timedelta(seconds=1)):
        assert delivery.deliver() == {"sent": 1}


def test_those_who_left_or_do_not_want_it_get_nothing(tell, rep, leaver, colleague):
    Preference.objects.create(user=colleague, kind="lead_assigned", channel="email", wanted=False)
    Preference.objects.create(user=rep, kind="run_failed", channel="email", wanted=False)
    Preference.objects.create(user=rep, kind="lead_assigned", channel="in_app", wanted=False)
    tell("a", leaver), tell("b", colleague), tell("c", rep)
    assert delivery.deliver() == {"off": 2, "sent": 1}
    assert (states(), [m.to for m in mail.outbox]) == (["off", "off", "sent"], [[rep.email]])


def test_a_temporary_refusal_is_tried_again_for_a_day_then_given_up(tell, failing):
    row = tell()
    failing(*[smtplib.SMTPDataError(451, b"later")] * 50)
    start, now, waits = timezone.now(), timezone.now(), []
    while row.state == "waiting":
        with time_machine.travel(now, tick=False):
            delivery.deliver()
            row.refresh_from_db()
        waits.append(round((row.next_attempt_at - now).total_seconds() / 60))
        now = row.next_attempt_at + timedelta(seconds=1)
    assert waits[:5] == [1, 5, 15, 60, 60]
    assert timedelta(hours=23) < row.next_attempt_at - start < timedelta(hours=25)
    assert (row.state, row.last_error) == ("dead", "SMTPDataError(451, b'later')")


def test_a_permanent_refusal_ends_it_at_once_and_harms_no_other(tell, failing):
    tell("a"), tell("b")
    failing(smtplib.SMTPRecipientsRefused({"x": (550, b"no such user")}))
    assert (delivery.deliver(), states()) == ({"dead": 1, "sent": 1}, ["dead", "sent"])


@pytest.mark.parametrize(
    "poison",
    [
        {"kind": "no_such_kind"},
        {"kind": "leads_received", "context": {"count": 1, "leads": 5}},
        {"context": ["not a mapping"]},
    ],
)
def test_a_row_that_cannot_be_written_ends_alone(tell, poison):
    for key in "abc":
        tell(key)
    Notification.objects.filter(dedupe_key="b").update(**{"context": ASSIGNED} | poison)
    assert (delivery.deliver(), states()) == ({"sent": 2, "dead": 1}, ["sent", "dead", "sent"])
    assert [message.subject for message in mail.outbox] == ["New lead for you: Band"] * 2


def test_an_address_that_smuggles_headers_ends_alone(tell, colleague):
    User.objects.filter(pk=colleague.pk).update(email="tom@example.com\nBcc: all@example.com")
    tell("a", colleague), tell("b")
    assert (delivery.deliver(), states()) == ({"dead": 1, "sent": 1}, ["dead", "sent"])


def test_one_call_is_bounded_and_the_next_goes_on(tell, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH_SIZE", 2), monkeypatch.setattr(delivery, "MAX_BATCHES", 2)
    for key in "abcde":
        tell(key)
    assert [delivery.deliver(), delivery.deliver(), delivery.deliver()] == [{"sent": 4}, {"sent": 1}, {}]


def test_a_batch_costs_the_same_few_statements_and_each_mail_one(tell):
    tell("a"), tell("b")
    with CaptureQueriesContext(connection) as two:
        delivery.deliver()
    for key in range(delivery.BATCH_SIZE):
        tell(str(key))
    with CaptureQueriesContext(connection) as many:
        delivery.deliver()
    assert len(many) - len(two) == delivery.BATCH_SIZE - 2


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        smtplib.SMTPServerDisconnected(),
        smtplib.SMTPAuthenticationError(535, b"no"),
    ],
)
def test_a_server_that_is_away_costs_the_others_no_attempt(tell, failing, error):
    tell("a"), tell("b")
    failing(error)
    assert delivery.deliver() == {"waiting": 1}
    rows = Delivery.objects.order_by("pk").values_list("state", "attempts", "lease_until")
    assert list(rows) == [("waiting", 1, None), ("waiting", 0, None)]
    assert delivery.deliver() == {"sent": 1}


def test_a_dead_workers_claim_is_taken_again_when_its_lease_is_over(tell, settings):
    tell()
    (claimed,) = delivery._claim("email")  # and the worker is gone
    assert delivery.deliver() == {}
    with time_machine.travel(claimed.lease_until + timedelta(seconds=1)):
        assert delivery.deliver() == {"sent": 1}
    assert Delivery.objects.get().attempts == 2


def test_what_a_dead_worker_left_behind_comes_last_and_one_by_one(tell, monkeypatch):
    left = [tell(key).pk for key in "abc"]
    first = delivery._claim("email")  # and one of these is what the worker died of
    fresh = tell("d").pk
    with time_machine.travel(first[0].lease_until + timedelta(seconds=1)):
        claims = [[row.pk for row in delivery._claim("email")] for _ in range(5)]
    assert claims == [[fresh], [left[0]], [left[1]], [left[2]], []]


def test_what_every_worker_dies_of_is_given_up(tell):
    row = tell()
    Delivery.objects.update(attempts=len(delivery.RETRY_MINUTES) + 1)
    assert delivery.deliver() == {"dead": 1}
    row.refresh_from_db()
    assert (row.state, row.last_error, mail.outbox) == ("dead", "Every worker that tried to send it died.", [])


def test_a_kind_may_be_told_by_other_channels_alone_unless_somebody_asks(tell, colleague, monkeypatch):
    quiet = Kind("lead_assigned", "New lead", "A new lead is yours.", off_by_default=frozenset({"email"}))
    monkeypatch.setitem(kinds._kinds, "lead_assigned", quiet)
    Preference.objects.create(user=colleague, kind="lead_assigned", channel="email", wanted=True)
    tell("a"), tell("b", colleague)
    assert delivery.deliver() == {"off": 1, "sent": 1}
    assert [m.to for m in mail.outbox] == [[colleague.email]]


def test_a_worker_that_lost_its_lease_does_not_overwrite_the_other(tell):
    tell()
    (mine,) = delivery._claim("email")
    with time_machine.travel(mine.lease_until + timedelta(seconds=1)):
        delivery.deliver()
    delivery._mark(mine, state="dead")
    assert states() == ["sent"]


def test_a_slow_batch_is_given_back_before_the_lease_ends(tell, settings, monkeypatch):
    tell("a"), tell("b")
    batch, started = delivery._claim("email"), timezone.now()
    with time_machine.travel(started + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS * 0.6)):
        assert delivery._send_batch(EmailChannel(), batch, delivery.Counter())
    assert list(Delivery.objects.values_list("attempts", "lease_until")) == [(0, None)] * 2
    assert mail.outbox == []


def test_the_message_id_is_the_same_whenever_it_is_sent(tell):
    row = tell().notification
    assert compose(row).message()["Message-ID"] == compose(Notification.objects.get()).message()["Message-ID"]
    assert compose(tell("b").notification).message()["Message-ID"] != compose(row).message()["Message-ID"]


def test_the_embedded_default_writes_one_file_a_message(tell, settings, tmp_path: Path):
    settings.EMAIL_BACKEND, settings.MAIL_DIR = "notifications.channels.eml.EmailBackend", tmp_path / "mail"
    first, _ = tell("a"), tell("b")
    delivery.deliver()
    Delivery.objects.filter(pk=first.pk).update(state="waiting", ended_at=None)  # a crash before the mark
    delivery.deliver()
    files = sorted((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    parsed = message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert (parsed["Subject"], parsed["Auto-Submitted"]) == ("New lead for you: Band", "auto-generated")
