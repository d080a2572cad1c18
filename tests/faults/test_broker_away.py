"""The broker is frozen, stopped or emptied while users write: every write succeeds, and no notification is lost.

A write waits for a frozen broker once, for two seconds (`test_a_write_waits_for_the_broker_no_longer`). The test prints
the longest time of each kind of fault.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings

from athena.api import throttles
from athena.runtime import task_publisher
from tests.live import Athena, prepared_engine, up, wait_for
from tests.servers import _private_folder, _redis_binary, free_port

pytestmark = [pytest.mark.live, pytest.mark.postgres]  # the broker of the SQLite round is a folder: it is there
WRITES = 3


class Broker:
    """A private Redis that the test stops, freezes and empties."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._command = [str(_redis_binary(folder)), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for(self.answers, "the broker's start")

    def answers(self) -> bool:
        try:
            return bool(redis.Redis(port=self.port).ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        yield
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        yield
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def emptied(self) -> Iterator[None]:
        yield
        redis.Redis(port=self.port).flushall()


@pytest.fixture
def broker() -> Iterator[Broker]:
    with _private_folder("broker") as folder:
        broker = Broker(folder)
        yield broker
        broker.stop()


@pytest.fixture
def athena(broker: Broker, tmp_path: Path) -> Iterator[Athena]:
    own = {"DEMO": "1", "REDIS_URL": f"redis://127.0.0.1:{broker.port}/0"}
    with prepared_engine(tmp_path, with_demo=True) as engine, up(tmp_path, **engine | own) as running:
        running.wait_until_ready()
        yield running


def find_sent_subjects(athena: Athena) -> set[str]:
    """The subjects of the emails about new leads that were sent."""
    mails = (athena.var_dir / "mail").glob("*.eml")
    lines = (line for mail in mails for line in mail.read_text().splitlines())
    return {line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: New lead for you: Choir ")}


def test_every_write_answers_and_nothing_is_lost(athena: Athena, broker: Broker) -> None:
    token = athena.log_in("manager")
    reps = [row["id"] for row in athena.call("GET", "/users?role=rep&is_active=true", token=token)["results"]]
    seconds: dict[str, float] = {}

    def write(how: str, number: int) -> None:
        start = time.monotonic()
        rep = reps[list(faults).index(how) if how in faults else -1]  # many for one would be gathered in one mail
        body = {"company_name": f"Choir {how} {number}", "assigned_to": rep}
        assert athena.call("POST", "/sales/leads", body, token=token)["company_name"] == f"Choir {how} {number}"
        seconds[how] = max(seconds.get(how, 0), time.monotonic() - start)

    faults: dict[str, Callable[[], object]] = {
        "frozen": broker.frozen, "stopped": broker.stopped, "emptied": broker.emptied,
    }  # fmt: skip
    write("well", 0)
    for how, fault in faults.items():
        with fault():  # type: ignore[attr-defined]
            for number in range(WRITES):
                write(how, number)
    expected = {f"New lead for you: Choir {how} {number}" for how in faults for number in range(WRITES)}
    wait_for(lambda: expected <= find_sent_subjects(athena), "the last email")
    sys.stdout.write("\n" + ", ".join(f"{how}: {longest:.2f} s at most" for how, longest in seconds.items()) + "\n")
    assert athena.process.poll() is None


def test_a_write_waits_for_the_broker_no_longer() -> None:
    """At most two seconds to publish one task, after which the broker is left alone for a while, and a quarter of a
    second to count the request."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert os.environ["REDIS_URL"]
    waits = [options["socket_timeout"], settings.CELERY_BROKER_CONNECTION_TIMEOUT, options["socket_connect_timeout"]]
    assert max(waits) + throttles._REDIS_TIMEOUT <= 2.5
    assert options["max_retries"] == 0
    assert options["retry_on_timeout"] is False
    assert task_publisher.PAUSE_SECONDS > 2.5
