"""A mail server for tests: it keeps the emails that it accepts, and misbehaves on demand."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port

OK = "250 OK"
CUT, SILENCE = "cut", "silence"  # instead of an answer: close the connection, or never answer


@dataclass(frozen=True)
class Answer:
    """Whether the server keeps an email, and what the client hears: an SMTP answer, `CUT` or `SILENCE`."""

    is_kept: bool
    text: str


class Sink:
    """Answers the text of each email by the next of `answers`, and by OK when there are no more.

    `refusals` holds the answer for recipients that are refused.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: deque[Answer] = deque()
        self.refusals: dict[str, str] = {}
        self.mails_per_connection = 1_000
        self.connections = 0
        self.is_silent = threading.Event()
        self._counts: dict[Session, int] = {}
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def start(self) -> None:
        self._controller.start()
        self.connections = 0  # the controller opens one itself

    def stop(self) -> None:
        self._controller.stop()

    @property
    def message_ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._counts[session] = 0
        self.connections += 1
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._counts[session] == self.mails_per_connection:
            return "421 That is enough"
        envelope.mail_from = address
        return OK

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.popleft() if self.answers else Answer(True, OK)
        self._counts[session] += 1
        if answer.is_kept:
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if answer.text == CUT:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        if answer.text == SILENCE:
            self.is_silent.set()
        if answer.text in (CUT, SILENCE):
            await asyncio.Event().wait()  # until the client is gone
        return answer.text


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    server.start()
    yield server
    server.stop()
