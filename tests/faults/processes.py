"""Athena's processes, one by one, to be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.live import ROOT, prepared_engine
from tests.smtp import Sink

INSTALL_SCHEDULES = (
    "from sales.services import schedules\nschedules.install()\n"  # with the TICK_SECONDS of the process
)
WORKER = ("worker", "--concurrency", "1", "--without-gossip", "--without-mingle")


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def run_code(environment: Mapping[str, str], code: str) -> str:
    """Run code in a process of its own and return what it writes to its standard output."""
    return manage(environment, "shell", "-v", "0", "-c", code)


@contextmanager
def sending(sink: Sink, var_dir: Path, tell: str, *, lease: int, tick: int) -> Iterator[dict[str, str]]:
    """The environment of an Athena that sends to the sink, with its tables made, and something to `tell` (a script)."""
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
    """A Celery process in a session of its own; at the end, it and all that it has started are killed.

    `altered` is code that the process runs before all else.
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
