"""Email over a real connection: what each answer of a mail server leads to."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import time_machine
from django.utils import timezone

from notifications import delivery, outbox
from notifications.channels import email
from notifications.models import Delivery, Notification
from tests.servers import free_port
from tests.smtp import CUT, OK, SILENCE, Answer, Sink

ATHENA = "http://localhost:8080"


@pytest.fixture
def smtp(sink: Sink, settings):
    """The mail server that emails are sent through."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def notify(make_user):
    """Writes a notification for a new user of each name."""

    def add(*names: str) -> None:
        for name in names:
            context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
            user = make_user(name)
            outbox.add(kind="lead_assigned", recipient_id=user.pk, dedupe_key=name, context=context)

    return add


def states() -> list[tuple[str, int]]:
    """The state of each delivery and the number of its attempts."""
    return list(Delivery.objects.order_by("pk").values_list("state", "attempts"))


def recipients(sink: Sink) -> list[str]:
    return [mail["To"].partition("@")[0] for mail in sink.mails]


def test_all_emails_go_over_one_connection(smtp, notify):
    notify("a", "b", "c")
    assert delivery.deliver() == {"sent": 3}
    assert recipients(smtp) == ["a", "b", "c"]
    assert smtp.connections == 1


def test_an_email_has_the_headers_of_an_automatic_one(smtp, notify):
    notify("a")
    delivery.deliver()
    (mail,), row = smtp.mails, Notification.objects.get()
    assert mail["From"] == "Athena <athena@localhost>"
    assert mail["To"] == "a@example.com"
    assert mail["Subject"] == "New lead for you: Band"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["Message-ID"] == f"<{row.pk}.{row.created_at:%Y%m%d%H%M%S%f}@localhost>"
    assert parsedate_to_datetime(mail["Date"]) == row.not_before.replace(microsecond=0)
    assert "<style" not in mail.get_body(("html",)).get_content()


def test_a_refused_recipient_fails_or_waits_and_the_others_are_sent(smtp, notify):
    smtp.refusals = {"a@example.com": "550 No such user", "b@example.com": "450 Mailbox busy"}
    notify("a", "b", "c")
    assert delivery.deliver() == {"dead": 1, "waiting": 1, "sent": 1}
    assert states() == [("dead", 1), ("waiting", 1), ("sent", 1)]
    assert recipients(smtp) == ["c"]
    assert "No such user" in Delivery.objects.get(state="dead").last_error


def test_a_refused_text_fails_or_waits_and_the_others_are_sent(smtp, notify):
    smtp.answers.extend([Answer(False, "554 No thanks"), Answer(False, "451 Try later")])
    notify("a", "b", "c")
    assert delivery.deliver() == {"dead": 1, "waiting": 1, "sent": 1}
    assert states() == [("dead", 1), ("waiting", 1), ("sent", 1)]
    assert recipients(smtp) == ["c"]


def test_a_server_that_closes_connections_gets_new_ones(smtp, notify):
    smtp.mails_per_connection = 2
    notify("a", "b", "c", "d", "e")
    assert delivery.deliver() == {"sent": 5}
    assert recipients(smtp) == ["a", "b", "c", "d", "e"]
    assert smtp.connections == 3
    assert states() == [("sent", 1)] * 5


def test_a_connection_that_is_cut_is_opened_again(smtp, notify):
    smtp.answers.extend([Answer(True, OK), Answer(False, CUT)])
    notify("a", "b", "c")
    assert delivery.deliver() == {"sent": 3}
    assert recipients(smtp) == ["a", "b", "c"]


def test_an_email_that_is_cut_off_after_it_was_kept_is_sent_again_with_the_same_message_id(smtp, notify):
    smtp.answers.append(Answer(True, CUT))
    notify("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert delivery.deliver() == {"sent": 2}
    assert len(smtp.message_ids) == 3
    assert len(set(smtp.message_ids)) == 2


def test_all_emails_wait_for_a_server_that_refuses_our_credentials(smtp, notify, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "athena", "wrong"
    notify("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]


def test_all_emails_wait_for_a_server_that_cannot_be_reached(smtp, notify, settings):
    settings.EMAIL_PORT = free_port()
    notify("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    settings.EMAIL_PORT = smtp.port
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert delivery.deliver() == {"sent": 2}


def test_all_emails_wait_for_a_server_that_falls_silent(smtp, notify, settings):
    settings.EMAIL_TIMEOUT = 1  # 30 otherwise
    smtp.answers.append(Answer(False, SILENCE))
    notify("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]
    assert "timed out" in Delivery.objects.get(attempts=1).last_error
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert delivery.deliver() == {"sent": 2}
    assert recipients(smtp) == ["b", "a"]


def test_one_click_unsubscribes_from_emails_of_the_kind(smtp, notify, client):
    notify("a")
    delivery.deliver()
    (mail,) = smtp.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip(" <>")
    assert link.startswith(f"{ATHENA}/unsubscribe/")
    assert link in mail.get_body(("plain",)).get_content()
    assert link in mail.get_body(("html",)).get_content()
    path = link.removeprefix(ATHENA)
    assert client.post(path, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded").status_code == 200
    outbox.add(kind="lead_assigned", recipient_id=Notification.objects.get().recipient_id, dedupe_key="b", context={})
    assert delivery.deliver() == {"off": 1}


@pytest.mark.parametrize(
    ("backend", "description"),
    [
        ("notifications.channels.eml", "as files in /m, until EMAIL_URL names a mail server"),
        ("django.core.mail.backends.smtp", "through mail.example.com"),
        ("anymail.backends.amazon_ses", "through Amazon Ses"),
    ],
    ids=["files", "server", "provider"],
)
def test_the_pages_say_how_emails_are_sent(settings, backend, description):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.MAIL_DIR = f"{backend}.EmailBackend", "mail.example.com", "/m"
    assert email.describe_transport() == description
