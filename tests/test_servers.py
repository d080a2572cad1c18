"""`make test` finds or starts its servers on any machine, and leaves none running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from tests import live, servers


@pytest.fixture
def bare_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where neither PostgreSQL nor Redis is installed or named."""
    monkeypatch.setattr(servers, "_postgresql_places", list)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


def test_servers_from_wheels_run_if_none_are_installed(bare_system: None) -> None:
    with servers.environment() as urls:
        connection = psycopg2.connect(urls["DATABASE_URL"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT lower('ÉCOLE'), current_setting('server_version_num')::int >= 150000")
            assert cursor.fetchone() == ("école", True)
            cursor.execute("CREATE EXTENSION pg_trgm")
        connection.close()
        with redis.Redis.from_url(urls["REDIS_URL"]) as client:
            assert client.ping()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(urls["DATABASE_URL"])


def test_servers_named_in_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    urls_of_settings = {"DATABASE_URL": "postgres://somewhere/athena", "REDIS_URL": "redis://elsewhere/0"}
    for name, url in urls_of_settings.items():
        monkeypatch.setenv(name, url)
    with servers.environment() as urls:
        assert urls == urls_of_settings


def test_a_missing_server_is_named(bare_system: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_wheel", lambda package: None)
    with pytest.raises(servers.Missing, match="PostgreSQL 15 or newer"), servers.environment():
        pass


def test_a_wrapper_script_does_not_count_as_a_server(tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.1'\n")
        (tmp_path / name).chmod(0o755)
    assert servers._version(tmp_path) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_command_and_then_the_servers(number: signal.Signals, tmp_path: Path) -> None:
    """The command gets any signal as SIGINT, and the servers run until it has ended."""
    script = (
        "import os, pathlib, signal, sys\n"
        "def end(number, frame):\n"
        "    import redis\n"
        "    pathlib.Path('ended').write_text(str(redis.Redis.from_url(os.environ['REDIS_URL']).ping()))\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGINT, end)\n"
        "pathlib.Path('started').touch()\n"
        "signal.pause()\n"
    )
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"PYTHONPATH": str(live.ROOT)}
    command = [sys.executable, "-m", "tests.servers", "--", sys.executable, "-c", script]
    process = subprocess.Popen(command, cwd=tmp_path, env=env)
    live.wait_for((tmp_path / "started").exists, "the start of the command")
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    assert process.wait(live.PATIENCE_SECONDS) == 128 + number
    assert (tmp_path / "ended").read_text() == "True"
    live.wait_for(lambda: not any(live.is_running(child) for child in children), "the end of all")
    assert len(children) >= 3  # PostgreSQL, Redis, the command
