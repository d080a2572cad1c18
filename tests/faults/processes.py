"""Athena's processes, one by one, to be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.live import ROOT

WORKER = ("worker", "--concurrency", "1", "--without-gossip", "--without-mingle")


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


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
