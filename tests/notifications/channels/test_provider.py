"""Email through a provider's API (django-anymail): what each of its answers leads to.

The provider is a server in this process that talks like Postmark's.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TypedDict

import pytest

from notifications import delivery, outbox
from notifications.models import Delivery
from tests.servers import free_port

ACCEPTED = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "SubmittedAt": "2026-11-23T10:00:00Z"}
REJECTED = {"ErrorCode": 300, "Message": "No"}


class Header(TypedDict):
    Name: str
    Value: str


class Email(TypedDict):
    """What the provider is sent, as far as the tests read it."""

    To: str
    Subject: str
    HtmlBody: str
    TextBody: str
    Headers: list[Header]


class Provider(HTTPServer):
    """Answers each email by the next HTTP status of `statuses`, and by 200 when there are no more."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.emails: list[Email] = []


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        email: Email = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.emails.append(email)
        answer = ACCEPTED | {"To": email["To"]} if status == 200 else REJECTED
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    with Provider() as server:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        url = f"http://127.0.0.1:{server.server_port}/"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "x", "POSTMARK_API_URL": url, "REQUESTS_TIMEOUT": 5}
        # `shutdown` waits for the next poll: every half second by default.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def two_notifications(rep) -> None:
    context = {"lead_id": 7, "lead_name": "Band", "by_name": "Grace"}
    for key in "ab":
        outbox.add(kind="lead_assigned", recipient_id=rep.pk, dedupe_key=key, context=context)


def states() -> list[tuple[str, int]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "attempts"))


def headers_of(email: Email) -> dict[str, str]:
    return {header["Name"]: header["Value"] for header in email["Headers"]}


def test_emails_reach_the_provider_complete(provider, rep):
    assert delivery.deliver() == {"sent": 2}
    first, second = provider.emails
    assert first["To"] == rep.email
    assert first["Subject"] == "New lead for you: Band"
    assert "<h1" in first["HtmlBody"]
    assert "Band" in first["TextBody"]
    assert headers_of(first)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers_of(first)["Message-ID"] != headers_of(second)["Message-ID"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_rejected_email_fails_and_the_other_is_sent(provider, status):
    provider.statuses = [status]
    assert delivery.deliver() == {"dead": 1, "sent": 1}
    assert states() == [("dead", 1), ("sent", 1)]
    assert f"{status}" in Delivery.objects.get(state="dead").last_error


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_all_emails_wait_if_the_provider_accepts_none(provider, status):
    provider.statuses = [status]
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]


def test_all_emails_wait_if_the_provider_does_not_answer(provider, settings):
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": f"http://127.0.0.1:{free_port()}/"}
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]


@pytest.mark.parametrize("backend", ["postmark", "amazon_ses", "base"])
def test_all_emails_wait_if_the_provider_is_not_configured(settings, backend):
    settings.EMAIL_BACKEND, settings.ANYMAIL = f"anymail.backends.{backend}.EmailBackend", {}
    assert delivery.deliver() == {"waiting": 1}
    assert states() == [("waiting", 1), ("waiting", 0)]
