"""E-mail by a provider's API (django-anymail): what each of its answers leads to.

The provider is a server here that talks like Postmark's.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from notifications import delivery, outbox
from notifications.models import Delivery
from tests.servers import free_port

TAKEN = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "SubmittedAt": "2026-11-23T10:00:00Z"}


class Provider(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: list[int] = []
        self.mails: list[dict] = []


class Answer(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.mails.append(mail)
        body = TAKEN | {"To": mail["To"]} if status == 200 else {"ErrorCode": 300, "Message": "No"}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    with Provider() as made:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        url = f"http://127.0.0.1:{made.server_port}/"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "x", "POSTMARK_API_URL": url, "REQUESTS_TIMEOUT": 5}
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def told(rep) -> None:
    context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
    for key in "ab":
        outbox.add(kind="lead_assigned", recipient_id=rep.pk, dedupe_key=key, context=context)


def states() -> list[tuple[str, int]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "attempts"))


def test_mails_go_out_whole(provider, rep):
    assert delivery.deliver() == {"sent": 2}
    first, second = provider.mails
    headers = {each["Name"]: each["Value"] for each in first["Headers"]}
    assert (first["To"], first["Subject"]) == (rep.email, "New lead for you: Band")
    assert ("<h1>" in first["HtmlBody"] or "<h1 " in first["HtmlBody"], "Band" in first["TextBody"]) == (True, True)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Message-ID"] != {each["Name"]: each["Value"] for each in second["Headers"]}["Message-ID"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_that_it_does_not_like_ends_alone(provider, status):
    provider.answers = [status]
    assert delivery.deliver() == {"dead": 1, "sent": 1}
    assert (states(), f"{status}" in Delivery.objects.get(state="dead").last_error) == (
        [("dead", 1), ("sent", 1)],
        True,
    )


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_where_it_takes_none_all_wait(provider, status):
    provider.answers = [status]
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]


def test_where_it_is_not_there_all_wait(provider, settings):
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": f"http://127.0.0.1:{free_port()}/"}
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]


@pytest.mark.parametrize("backend", ["postmark", "amazon_ses", "base"])
def test_where_it_is_not_set_up_all_wait(settings, backend):
    settings.EMAIL_BACKEND, settings.ANYMAIL = f"anymail.backends.{backend}.EmailBackend", {}
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]
