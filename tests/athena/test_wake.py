import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import current_app
from django.db import transaction

from athena.wake import wake

ROOT = Path(__file__).parent.parent.parent
PUBLISH = """
import athena.celery
import django
django.setup()
from athena.wake import wake
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
