"""The e-mail that somebody sends themself."""

import pytest
from django.core import mail

from notifications import delivery
from notifications.channels import email
from notifications.emails import test_email
from notifications.models import Delivery, Notification, Preference


def test_it_goes_to_oneself_and_is_told_nowhere_else(rep, colleague):
    test_email.send_test_email(by=rep)
    assert delivery.deliver() == {"sent": 1}
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([rep.email], "Test email from Athena")
    assert "http://localhost:8080/admin/" in message.body
    assert not Notification.objects.shown_to(rep).exists()
    assert list(test_email.find_last_delivery(rep).values_list("state", flat=True)) == ["sent"]
    assert (test_email.find_last_delivery(colleague).exists(), test_email.find_sent_emails().exists()) == (False, True)


def test_another_takes_the_place_of_the_one_before_and_of_nobody_elses(rep, colleague):
    test_email.send_test_email(by=colleague)
    for _ in range(2):
        test_email.send_test_email(by=rep)
        delivery.deliver()
    assert Notification.objects.filter(recipient=rep).count() == Delivery.objects.count() - 1 == 1
    own = [message.extra_headers["Message-ID"] for message in mail.outbox if message.to == [rep.email]]
    assert len(set(own)) == 2, "a mail program must not take the second for a copy of the first"
    assert test_email.find_last_delivery(colleague).exists()


def test_one_that_waits_for_its_next_attempt_is_sent_anew_at_once(rep):
    test_email.send_test_email(by=rep)
    Delivery.objects.update(attempts=5, last_error="refused", next_attempt_at="2099-01-01T00:00Z")
    assert delivery.deliver() == {}
    test_email.send_test_email(by=rep)
    assert delivery.deliver() == {"sent": 1}


def test_who_wants_none_gets_none(rep):
    Preference.objects.create(user=rep, kind=test_email.KIND, channel="email", wanted=False)
    test_email.send_test_email(by=rep)
    assert (delivery.deliver(), mail.outbox) == ({"off": 1}, [])


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("notifications.channels.eml", "as files in /m, until EMAIL_URL names a mail server"),
        ("django.core.mail.backends.smtp", "through mail.example.com"),
        ("anymail.backends.amazon_ses", "through Amazon Ses"),
    ],
)
def test_how_mails_leave_is_said(settings, backend, said):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.MAIL_DIR = f"{backend}.EmailBackend", "mail.example.com", "/m"
    assert email.describe_transport() == said
