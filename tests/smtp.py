"""A mail server for tests: it keeps what it takes, and misbehaves when told to."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.servers import free_port

OK = "250 OK"
CUT, SILENCE = "cut", "silence"  # in place of an answer: end the connection, or never answer


class Sink:
    """Answers each mail's text by the next of `answers`, and OK when there are no more.

    A pair in `answers` says whether the mail is taken, and what the client hears. `refusals` answers a recipient.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: deque[tuple[bool, str]] = deque()
        self.refusals: dict[str, str] = {}
        self.mails_a_connection = 1_000
        self.connections = 0
        self.silent = threading.Event()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def start(self) -> None:
        self._controller.start()
        self.connections = 0  # (the controller tries the port itself)

    def stop(self) -> None:
        self._controller.stop()

    @property
    def message_ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name, session.mails = hostname, 0
        self.connections += 1
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if session.mails == self.mails_a_connection:
            return "421 That is enough"
        envelope.mail_from = address
        return OK

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        takes, answer = self.answers.popleft() if self.answers else (True, OK)
        session.mails += 1
        if takes:
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if answer == CUT:
            server.transport.abort()
        if answer == SILENCE:
            self.silent.set()
        if answer in (CUT, SILENCE):
            await asyncio.Event().wait()  # until the client is gone
        return answer


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    made.start()
    yield made
    made.stop()
