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

from athena import task_names
from athena.runtime import task_publisher
from athena.runtime.task_publisher import publish_task

ROOT = Path(__file__).parents[3]
PUBLISH = """
import athena.celery
import django
django.setup()
from athena.runtime.task_publisher import publish_task
publish_task("sales.tick")
"""


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port on which nothing listens: connections are refused at once."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers, like a frozen Redis."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("broker", [refusing_port, silent_port])
def test_an_unavailable_broker_is_only_logged(broker, tmp_path) -> None:
    with broker() as port:
        env = os.environ | {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "VAR_DIR": str(tmp_path)}
        process = subprocess.run([sys.executable, "-c", PUBLISH], cwd=ROOT, env=env, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert '"event": "task_not_published"' in process.stderr


@pytest.fixture
def published(transactional_db, monkeypatch) -> list[str]:
    """The names of the tasks that were published."""
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: names.append(name))
    return names


def test_a_task_is_published_after_the_commit(published) -> None:
    with transaction.atomic():
        publish_task(task_names.TICK)
        assert published == []
    assert published == [task_names.TICK]


def test_a_task_is_not_published_after_a_rollback(published) -> None:
    with transaction.atomic():
        publish_task(task_names.TICK)
        transaction.set_rollback(True)
    assert published == []


@pytest.fixture
def attempts(transactional_db, monkeypatch) -> list[str]:
    """The names of the tasks that a broker refused."""
    names: list[str] = []

    def refuse(name: str, **_: object) -> None:
        names.append(name)
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", refuse)
    monkeypatch.setattr(task_publisher._Broker, "paused_until", -math.inf)
    return names


def test_after_a_failure_nothing_is_published_for_a_while(attempts) -> None:
    for name in (task_names.TICK, task_names.RUN_SCORING, task_names.DELIVER):
        publish_task(name)
    assert attempts == [task_names.TICK]


def test_after_the_pause_tasks_are_published_again(attempts, monkeypatch) -> None:
    publish_task(task_names.TICK)
    monkeypatch.setattr(task_publisher._Broker, "paused_until", time.monotonic())
    publish_task(task_names.RUN_SCORING)
    assert attempts == [task_names.TICK, task_names.RUN_SCORING]
