"""A real Athena for tests marked `live`: `manage.py up` with a database, a broker and a `var` of its own."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import psutil
import pytest
import redis

from tests.servers import administer, free_port

ROOT = Path(__file__).parent.parent
# The databases of Redis that this process of pytest-xdist uses in turn. No other process uses them.
_WORKER, _WORKERS = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
_BROKERS = cycle(range(1, 16)[int(_WORKER.removeprefix("gw")) % 15 :: int(_WORKERS)])
PATIENCE_SECONDS = 120  # for a busy machine; no test asserts how long something takes


@dataclass
class Athena:
    """A running `manage.py up`."""

    process: subprocess.Popen[bytes]
    port: int
    var_dir: Path
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def output(self) -> str:
        """What it has written to its terminal so far."""
        return self.log.read_text()

    def call(self, method: str, path: str, body: object = None, *, token: str = "") -> Any:
        """Call the API and return the JSON of its answer. Raises HTTPError for any status but 2xx."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.base_url}/api/v1{path}", data, headers, method=method)
        with urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return json.loads(response.read() or "null")

    def log_in(self, name: str) -> str:
        """Sign in with a demo account and return its access token."""
        body = {"email": f"{name}@example.com", "password": f"{name}123"}
        return str(self.call("POST", "/auth/login", body)["access_token"])

    def child(self, name: str) -> psutil.Process:
        """The main process of `web`, `worker` or `beat`, not those that it has started."""
        word = {"web": "gunicorn"}.get(name, name)
        return next(child for child in psutil.Process(self.process.pid).children() if word in child.cmdline())

    def processes(self) -> list[psutil.Process]:
        return processes_of(self.var_dir)

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.process.poll() is not None or "Athena is ready" in self.output, "being ready")
        assert self.process.poll() is None, self.output


def processes_of(var_dir: Path) -> list[psutil.Process]:
    """All running processes with this VAR_DIR, even those whose parent has ended."""
    processes = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("VAR_DIR") == str(var_dir) and is_running(process):
                processes.append(process)
    return processes


def is_running(process: psutil.Process) -> bool:
    """Whether the process has not ended. A zombie has."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_for(happens: Callable[[], object], what: str) -> None:
    """Wait until `happens()` is true. `what` names it in the message of the failure."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.1)


@contextmanager
def own_engine(template: str = "template1") -> Iterator[dict[str, str]]:
    """Settings for a new database and an unused broker: on this round's servers, or embedded.

    On PostgreSQL the database is a copy of `template`.
    """
    server = _postgresql_server()
    if not server:
        yield {}
        return
    name = f"athena_live_{uuid4().hex[:12]}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield {"DATABASE_URL": urlsplit(server)._replace(path=f"/{name}").geturl(), "REDIS_URL": _unused_broker()}
    finally:
        administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def prepared_engine(
    var_dir: Path, *, with_demo: bool = False, with_static_files: bool = False
) -> Iterator[dict[str, str]]:
    """As `own_engine`, after `manage.py prepare`, which ran once for all tests of this process: the database is a copy.

    With static files in `var_dir`, a web process can be started there. The tick is every minute, as by default.
    """
    prepared = _prepare(with_demo)
    var_dir.mkdir(parents=True, exist_ok=True)
    if with_static_files:
        shutil.copytree(prepared.var_dir / "static", var_dir / "static")
    if prepared.database is None:
        shutil.copy(prepared.var_dir / "athena.sqlite3", var_dir)
        yield {}
    else:
        with own_engine(prepared.database) as engine:
            yield engine


@dataclass(frozen=True)
class Prepared:
    """What `manage.py prepare` has made. No process uses it: tests copy it."""

    var_dir: Path
    database: str | None  # its name on PostgreSQL


@cache
def _prepare(with_demo: bool) -> Prepared:
    folder = Path(tempfile.mkdtemp(prefix="athena-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server, database = _postgresql_server(), None
    env = os.environ | {"VAR_DIR": str(folder), "DEMO": str(int(with_demo))}
    if server:
        database = f"athena_prepared_{uuid4().hex[:12]}"
        administer(server, f"CREATE DATABASE {database}")
        atexit.register(administer, server, f"DROP DATABASE {database} WITH (FORCE)")
        env |= {"DATABASE_URL": urlsplit(server)._replace(path=f"/{database}").geturl(), "REDIS_URL": _unused_broker()}
    subprocess.run([sys.executable, "manage.py", "prepare"], cwd=ROOT, env=env, check=True, capture_output=True)
    return Prepared(folder, database)


def _postgresql_server() -> str:
    """The address of this round's PostgreSQL; empty in the round on SQLite."""
    address = os.environ.get("DATABASE_URL", "")
    return address if address.startswith("postgres") else ""


def _unused_broker() -> str:
    """The address of an empty database of Redis that no other Athena uses."""
    address = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{next(_BROKERS)}").geturl()
    redis.Redis.from_url(address).flushdb()
    return address


@contextmanager
def up(var_dir: Path, **settings: str) -> Iterator[Athena]:
    """Run `manage.py up` on a free port; at the end, stop it and kill whatever is left of it."""
    port, log = free_port(), var_dir / "up.log"
    var_dir.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"VAR_DIR": str(var_dir), "PORT": str(port), "TICK_SECONDS": "5", "WEB_CONCURRENCY": "1"}
    with log.open("wb") as output:
        command = [sys.executable, "manage.py", "up"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=env | settings, stdout=output, stderr=output, start_new_session=True
        )
    athena = Athena(process, port, var_dir, log)
    try:
        yield athena
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for child in athena.processes():
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait()


@pytest.fixture(scope="session")
def live_athena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Athena]:
    """One Athena with demo data, which all tests of a process share. A failing test's report shows its log's path."""
    folder = tmp_path_factory.mktemp("live")
    with (
        prepared_engine(folder, with_demo=True) as engine,
        up(folder, DEMO="1", WEB_CONCURRENCY="2", **engine) as athena,
    ):
        athena.wait_until_ready()
        yield athena
