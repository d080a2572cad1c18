import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import current_app
from django.db import transaction

from athena.runtime import task_publisher as wake_module
from athena.runtime.task_publisher import wake

ROOT = Path(__file__).parents[3]
PUBLISH = """
import athena.celery
import django
django.setup()
from athena.runtime.task_publisher import wake
wake("sales.tick")
"""


@contextmanager
def refusing() -> Iterator[int]:
    """A port of which the system says at once that nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never answers, like a frozen Redis."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("broker", [refusing, silent])
def test_a_broker_that_is_away_costs_a_line_in_the_log(broker, tmp_path) -> None:
    with broker() as port:
        env = os.environ | {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "VAR_DIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", PUBLISH], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"event": "wake_failed"' in done.stderr


def test_publishes_only_what_is_committed(transactional_db, monkeypatch) -> None:
    published = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: published.append((name, args)))
    with transaction.atomic():
        wake("sales.tick", 7)
        assert published == []
    assert published == [("sales.tick", (7,))]
    with transaction.atomic():
        wake("sales.tick", 8)
        transaction.set_rollback(True)
    assert published == [("sales.tick", (7,))]


@pytest.fixture
def broker_away(monkeypatch) -> list[str]:
    """Names of the tasks whose publishing was tried in vain."""
    tried: list[str] = []

    def refuse(name: str, **_: object) -> None:
        tried.append(name)
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", refuse)
    monkeypatch.setattr(wake_module._Broker, "asleep_until", -math.inf)
    return tried


def test_a_broker_that_is_away_is_waited_for_once(transactional_db, broker_away) -> None:
    for name in ("sales.tick", "sales.score", "notifications.deliver"):
        wake(name)
    assert broker_away == ["sales.tick"]


def test_later_it_is_tried_again(transactional_db, broker_away, monkeypatch) -> None:
    wake("sales.tick")
    monkeypatch.setattr(wake_module._Broker, "asleep_until", time.monotonic())
    wake("sales.score")
    assert broker_away == ["sales.tick", "sales.score"]
