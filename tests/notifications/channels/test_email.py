"""E-mail over a real connection: what each answer of a server leads to."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import time_machine
from django.utils import timezone

from notifications import delivery, outbox
from notifications.models import Delivery, Notification
from tests.servers import free_port
from tests.smtp import CUT, OK, SILENCE, Sink


@pytest.fixture
def by_smtp(sink: Sink, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    return sink


@pytest.fixture
def tell(make_user):
    """Tell each of these people one thing."""

    def make(*names: str) -> None:
        for name in names:
            context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
            user = make_user(name)
            outbox.add(kind="lead_assigned", recipient_id=user.pk, dedupe_key=name, context=context)

    return make


def states() -> list[tuple[str, int]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "attempts"))


def receivers(sink: Sink) -> list[str]:
    return [mail["To"].partition("@")[0] for mail in sink.mails]


def test_all_go_over_one_connection(by_smtp, tell):
    tell("a", "b", "c")
    assert delivery.deliver() == {"sent": 3}
    assert (receivers(by_smtp), by_smtp.connections) == (["a", "b", "c"], 1)


def test_a_mail_says_what_it_is(by_smtp, tell):
    tell("a")
    delivery.deliver()
    (mail,), row = by_smtp.mails, Notification.objects.get()
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "Athena <athena@localhost>", "a@example.com", "New lead for you: Band",
    )  # fmt: skip
    assert (mail["Auto-Submitted"], mail.get_content_type()) == ("auto-generated", "multipart/alternative")
    assert mail["Message-ID"] == f"<{row.pk}.{row.created_at:%Y%m%d%H%M%S%f}@localhost>"
    assert parsedate_to_datetime(mail["Date"]) == row.not_before.replace(microsecond=0)
    assert "<style" not in mail.get_body(("html",)).get_content()


def test_refused_recipients_end_or_wait_and_the_others_go(by_smtp, tell):
    by_smtp.refusals = {"a@example.com": "550 No such user", "b@example.com": "450 Mailbox busy"}
    tell("a", "b", "c")
    assert delivery.deliver() == {"dead": 1, "waiting": 1, "sent": 1}
    assert (states(), receivers(by_smtp)) == ([("dead", 1), ("waiting", 1), ("sent", 1)], ["c"])
    assert "No such user" in Delivery.objects.get(state="dead").last_error


def test_refused_texts_end_or_wait_and_the_others_go(by_smtp, tell):
    by_smtp.answers.extend([(False, "554 No thanks"), (False, "451 Try later")])
    tell("a", "b", "c")
    assert delivery.deliver() == {"dead": 1, "waiting": 1, "sent": 1}
    assert (states(), receivers(by_smtp)) == ([("dead", 1), ("waiting", 1), ("sent", 1)], ["c"])


def test_a_server_that_ends_connections_gets_new_ones(by_smtp, tell):
    by_smtp.mails_a_connection = 2
    tell("a", "b", "c", "d", "e")
    assert delivery.deliver() == {"sent": 5}
    assert (receivers(by_smtp), by_smtp.connections) == (["a", "b", "c", "d", "e"], 3)
    assert states() == [("sent", 1)] * 5


def test_a_connection_cut_while_in_use_is_opened_again(by_smtp, tell):
    by_smtp.answers.extend([(True, OK), (False, CUT)])
    tell("a", "b", "c")
    assert delivery.deliver() == {"sent": 3}
    assert receivers(by_smtp) == ["a", "b", "c"]


def test_one_cut_off_after_it_was_taken_comes_again_with_the_same_message_id(by_smtp, tell):
    by_smtp.answers.append((True, CUT))
    tell("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert delivery.deliver() == {"sent": 2}
    ids = by_smtp.message_ids
    assert (len(ids), len(set(ids))) == (3, 2)


def test_a_server_that_takes_none_of_our_mail_ends_nothing(by_smtp, tell, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "athena", "wrong"
    tell("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]


def test_a_server_that_is_not_there_ends_nothing(by_smtp, tell, settings):
    settings.EMAIL_PORT = free_port()
    tell("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    settings.EMAIL_PORT = by_smtp.port
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert delivery.deliver() == {"sent": 2}


def test_a_server_that_falls_silent_ends_nothing(by_smtp, tell, settings):
    settings.EMAIL_TIMEOUT = 1  # 30 otherwise
    by_smtp.answers.append((False, SILENCE))
    tell("a", "b")
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]
    assert "timed out" in Delivery.objects.get(attempts=1).last_error
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert delivery.deliver() == {"sent": 2}
    assert receivers(by_smtp) == ["b", "a"]


def test_one_click_ends_mails_of_its_kind(by_smtp, tell, client):
    tell("a")
    delivery.deliver()
    (mail,) = by_smtp.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip(" <>")
    assert link.startswith("http://localhost:8080/unsubscribe/")
    assert all(link in mail.get_body((part,)).get_content() for part in ("plain", "html"))
    path = link.removeprefix("http://localhost:8080")
    assert client.post(path, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded").status_code == 200
    outbox.add(kind="lead_assigned", recipient_id=Notification.objects.get().recipient_id, dedupe_key="b", context={})
    assert delivery.deliver() == {"off": 1}
