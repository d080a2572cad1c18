"""The test email that users send to themselves."""

from django.core import mail

from notifications import delivery
from notifications.emails import test_email
from notifications.models import Delivery, Notification, Preference


def test_it_is_sent_to_the_user_and_is_in_no_list(rep, colleague):
    test_email.send_test_email(by=rep)
    assert delivery.deliver() == {"sent": 1}
    (message,) = mail.outbox
    assert message.to == [rep.email]
    assert message.subject == "Test email from Athena"
    assert "http://localhost:8080/admin/" in message.body
    assert not Notification.objects.shown_to(rep).exists()
    assert list(test_email.find_last_delivery(rep).values_list("state", flat=True)) == ["sent"]
    assert not test_email.find_last_delivery(colleague).exists()
    assert test_email.find_sent_emails().exists()


def test_a_second_one_replaces_the_users_first_one_only(rep, colleague):
    test_email.send_test_email(by=colleague)
    for _ in range(2):
        test_email.send_test_email(by=rep)
        delivery.deliver()
    assert Notification.objects.filter(recipient=rep).count() == 1
    assert Delivery.objects.count() == 2
    message_ids = [message.extra_headers["Message-ID"] for message in mail.outbox if message.to == [rep.email]]
    assert len(set(message_ids)) == 2, "an email program must not take the second for a copy of the first"
    assert test_email.find_last_delivery(colleague).exists()


def test_one_that_waits_for_a_retry_is_replaced_and_sent_at_once(rep):
    test_email.send_test_email(by=rep)
    Delivery.objects.update(attempts=5, last_error="refused", next_attempt_at="2099-01-01T00:00Z")
    assert delivery.deliver() == {}
    test_email.send_test_email(by=rep)
    assert delivery.deliver() == {"sent": 1}


def test_a_user_who_turned_test_emails_off_gets_none(rep):
    Preference.objects.create(user=rep, kind=test_email.KIND, channel="email", wanted=False)
    test_email.send_test_email(by=rep)
    assert delivery.deliver() == {"off": 1}
    assert mail.outbox == []
