"""Starts single processes of Athena, which the tests kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.live import ROOT, prepared_engine
from tests.smtp import Sink

# Code that makes the tick as frequent as TICK_SECONDS of the process that runs it says.
INSTALL_SCHEDULES = "from sales.services import periodic_tasks\nperiodic_tasks.install()\n"
WORKER = ("worker", "--concurrency", "1", "--without-gossip", "--without-mingle")


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def run_code(environment: Mapping[str, str], code: str) -> str:
    """Run code in a process of its own and return what it writes to its standard output."""
    return manage(environment, "shell", "-v", "0", "-c", code)


@contextmanager
def sending(sink: Sink, var_dir: Path, tell: str, *, lease: int, tick: int) -> Iterator[dict[str, str]]:
    """The environment of an Athena that sends its email to `sink`. The code in `tell` adds what there is to send."""
    with prepared_engine(var_dir) as engine:
        own = {
            "VAR_DIR": str(var_dir),
            "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
            "DELIVERY_LEASE_SECONDS": str(lease),
            "TICK_SECONDS": str(tick),
            "LOG_LEVEL": "INFO",
        }
        environment = os.environ | own | engine
        run_code(environment, INSTALL_SCHEDULES + tell)
        yield environment


@contextmanager
def celery(environment: Mapping[str, str], *arguments: str, altered: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run Celery in a session of its own; at the end, kill it and everything that it has started.

    The process runs the code in `altered` first.
    """
    start = ["-c", f"{altered}\nfrom celery.__main__ import main\nmain()"] if altered else ["-m", "celery"]
    with Path(environment["VAR_DIR"], "celery.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *start, "--quiet", "--app", "athena", *arguments],
            cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
