import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from athena.runtime import supervisor
from athena.runtime.supervisor import ProcessEnded, Supervisor
from tests import live

SLEEP = ["sleep", "1000"]
STUBBORN = [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]

ListProcesses = Callable[[], list[psutil.Process]]


@pytest.fixture(autouse=True)
def _own_signal_handlers() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in supervisor.STOP_SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    def run(announce: Callable[[], None] = lambda: None, **commands: list[str]) -> None:
        Supervisor(commands, os.environ | {"VAR_DIR": str(tmp_path)}, tmp_path).run(lambda: True, announce)

    return run


@pytest.fixture
def list_processes(tmp_path: Path) -> ListProcesses:
    return lambda: live.processes_of(tmp_path)


@pytest.mark.parametrize(
    ("command", "reason"),
    [("exit 0", "with status 0"), ("exit 3", "with status 3"), ("kill -9 $$", "by signal 9")],
)
def test_if_one_process_ends_all_end_and_it_is_named(
    run: Callable[..., None], list_processes: ListProcesses, command: str, reason: str
) -> None:
    with pytest.raises(ProcessEnded) as ended:
        run(web=SLEEP, worker=["sh", "-c", command], beat=SLEEP)
    assert str(ended.value) == f"The worker process ended {reason}; the others have been stopped."
    live.wait_for(lambda: not list_processes(), "the end of all")
    assert list_processes() == []


@pytest.mark.parametrize("number", supervisor.STOP_SIGNALS)
def test_a_signal_ends_all_processes(
    run: Callable[..., None], list_processes: ListProcesses, number: signal.Signals
) -> None:
    run(lambda: os.kill(os.getpid(), number), web=SLEEP, worker=SLEEP)
    live.wait_for(lambda: not list_processes(), "the end of all")
    assert list_processes() == []


def test_stubborn_processes_and_their_children_are_killed(
    run: Callable[..., None], list_processes: ListProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)

    def stop() -> None:
        live.wait_for(lambda: len(list_processes()) == 3, "the start of all")
        os.kill(os.getpid(), signal.SIGTERM)

    run(stop, web=STUBBORN, worker=["sh", "-c", "sleep 1000 & exec sleep 1000"])
    live.wait_for(lambda: not list_processes(), "the end of all")
    assert list_processes() == []


def test_if_one_process_cannot_start_none_is_left(run: Callable[..., None], list_processes: ListProcesses) -> None:
    with pytest.raises(FileNotFoundError):
        run(web=SLEEP, worker=["/nowhere/to/be/found"])
    live.wait_for(lambda: not list_processes(), "the end of all")
    assert list_processes() == []


@pytest.mark.parametrize("listening_on", ["127.0.0.1", "0.0.0.0"])
def test_a_port_is_taken_while_somebody_listens(listening_on: str) -> None:
    with socket.create_server((listening_on, 0)) as listener:
        port = listener.getsockname()[1]
        assert supervisor.is_taken("127.0.0.1", port)
        assert supervisor.is_taken("0.0.0.0", port)
    assert not supervisor.is_taken("127.0.0.1", port)


def test_settings_reach_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"HOST": "::1", "PORT": "9000", "WEB_CONCURRENCY": "5", "WORKER_CONCURRENCY": "7", "LOG_LEVEL": "ERROR"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    command = supervisor.commands()["worker"]
    assert command[command.index("--concurrency") + 1] == "7"
    code = "import athena.runtime.gunicorn_conf as c; print(c.bind, c.workers, c.threads, c.loglevel)"
    result = subprocess.run([sys.executable, "-c", code], cwd=live.ROOT, check=True, capture_output=True, text=True)
    assert result.stdout.split() == ["[::1]:9000", "5", "8", "error"]


def test_processes_log_warnings_unless_set_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    assert supervisor.child_environment()["LOG_LEVEL"] == "WARNING"
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    assert supervisor.child_environment()["LOG_LEVEL"] == "DEBUG"
