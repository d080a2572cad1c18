"""Runs web, worker and beat together (`manage.py up`): if one of them ends, all are stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from athena.config import environment

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 8  # for each process to finish its work; all have ended within ten seconds
POLL_SECONDS = 0.2


class ProcessEnded(Exception):
    """One of the processes ended by itself."""

    def __init__(self, name: str, status: int) -> None:
        how = f"with status {status}" if status >= 0 else f"by signal {-status}"
        super().__init__(f"The {name} process ended {how}; the others have been stopped.")


def is_taken(host: str, port: int) -> bool:
    """Whether the port is in use, also by a program that would answer for `localhost` (perhaps by IPv6)."""
    for name in ("localhost", host):
        with suppress(OSError), socket.create_connection((name, port), timeout=1):
            return True
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        return True
    return False


def commands() -> dict[str, list[str]]:
    """The command line of each process."""
    level = child_environment()["LOG_LEVEL"]
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "athena"]
    return {
        "web": [
            *(sys.executable, "-m", "gunicorn", "--config", "python:athena.runtime.gunicorn_conf", "athena.wsgi"),
        ],
        "worker": [
            *(*celery, "worker", "--loglevel", level, "--without-gossip", "--without-mingle"),
            *("--concurrency", str(environment.number("WORKER_CONCURRENCY", 2, maximum=256))),
        ],
        "beat": [*celery, "beat", "--loglevel", level],
    }


def child_environment() -> dict[str, str]:
    """The environment of the processes. They log only warnings by default, so that the address stays visible."""
    return {"LOG_LEVEL": "WARNING"} | os.environ | {"VAR_DIR": str(settings.VAR_DIR.resolve())}


class Supervisor:
    """Starts each command in a session of its own, so that its child processes can be found and ended."""

    def __init__(self, commands: Mapping[str, Sequence[str]], env: Mapping[str, str], folder: Path) -> None:
        self._commands = commands
        self._env = env
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def run(self, is_ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        """Run until a signal stops everything; call `announce` once ready. Raises `ProcessEnded`."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._stop)
        try:
            for name, command in self._commands.items():
                self._processes[name] = subprocess.Popen(  # noqa: S603 (our own commands)
                    command, cwd=self._folder, env=self._env, start_new_session=True
                )
            self._watch(is_ready, announce)
        finally:
            self._end_all()

    def _watch(self, is_ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        announced = False
        while not self._stopping:
            for name, process in self._processes.items():
                if (status := process.poll()) is not None:
                    raise ProcessEnded(name, status)
            if not announced and is_ready():
                announce()
                announced = True
            time.sleep(POLL_SECONDS)

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _end_all(self) -> None:
        """Ask each process to end, wait, then kill what is left of its session."""
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            with suppress(ProcessLookupError, PermissionError):  # nothing is left (macOS: nothing that still runs)
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
