"""A web process is replaced while requests keep coming: two stand behind the gateway, one is told to end."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from threading import Event
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.gateway.nginx import gateway
from tests.live import PATIENCE_SECONDS, ROOT, prepared_engine, wait_for
from tests.servers import free_port

pytestmark = [pytest.mark.live, pytest.mark.postgres]  # what stands behind a gateway is not on SQLite
SECRET = secrets.token_urlsafe(48)
CLIENTS = 8
REQUESTS_BEFORE = REQUESTS_AFTER = 60
WELL = {("POST", 201), ("GET", 200)}
LOGIN = {"email": "manager@example.com", "password": "manager123"}


def settings(folder: Path, engine: dict[str, str], **own: str) -> dict[str, str]:
    """What two Athenas on two machines would share, and what is one's own."""
    keys = dict.fromkeys(("SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN"), SECRET)
    shared = {
        "DATABASE_URL": f"sqlite:///{folder}/athena.sqlite3",
        "THROTTLE_USER": "none",
        "TRUSTED_HOPS": "1",
        **keys,
    }
    return os.environ | shared | engine | own


@contextmanager
def web(folder: Path, engine: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    env = settings(folder, engine, VAR_DIR=str(folder / str(port)), PORT=str(port), WEB_GRACE_SECONDS="25")
    command = [sys.executable, "-m", "gunicorn", "--config", "python:athena.runtime.gunicorn_conf", "athena.wsgi"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        check = [sys.executable, "-m", "athena.runtime.healthcheck", "web"]
        wait_for(lambda: subprocess.run(check, cwd=ROOT, env=env).returncode == 0, "a web process")
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ask(address: str, path: str, body: object = None, token: str = "") -> tuple[int, bytes]:
    """Status and body; 0 for an answer that did not come, or not whole."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(f"{address}/api/v1{path}", data, headers), timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
    except (OSError, HTTPException):
        return 0, b""


def statuses_while(
    address: str, stop_one: signal.Signals, process: subprocess.Popen[bytes]
) -> Counter[tuple[str, int]]:
    """What clients who read and write without a pause are answered before, while and after one web process ends."""
    token = json.loads(ask(address, "/auth/login", LOGIN)[1])["access_token"]
    answers: Counter[tuple[str, int]] = Counter()
    done = Event()

    def client(number: int) -> None:
        while not done.is_set():
            written, _ = ask(address, "/sales/leads", {"company_name": f"Client {number}"}, token)
            read, _ = ask(address, "/sales/leads?limit=1", token=token)
            answers.update([("POST", written), ("GET", read)])

    with ThreadPoolExecutor(CLIENTS) as clients:
        running = [clients.submit(client, number) for number in range(CLIENTS)]
        try:
            wait_for(lambda: answers.total() >= REQUESTS_BEFORE, "requests")
            os.killpg(process.pid, stop_one)
            wait_for(lambda: process.poll() is not None, "the end of the web process")
            seen = answers.total()
            wait_for(lambda: answers.total() >= seen + REQUESTS_AFTER, "more requests")
        finally:
            done.set()
        for each in running:
            each.result()
    return answers


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder, and an engine with the demo data in it."""
    folder = tmp_path_factory.mktemp("rolling")
    with prepared_engine(folder, with_demo=True) as engine:
        yield folder, engine


def replaced(company: tuple[Path, dict[str, str]], stop_one: signal.Signals) -> Counter[tuple[str, int]]:
    with ExitStack() as stack:
        (old, old_port), (_, new_port) = (stack.enter_context(web(*company)) for _ in range(2))
        place = company[0] / f"gateway-{old_port}"
        place.mkdir()
        address = stack.enter_context(gateway(place, old_port, new_port, per_minute=60_000))
        return statuses_while(address, stop_one, old)


def test_no_request_fails_while_a_web_process_ends(company: tuple[Path, dict[str, str]]) -> None:
    answers = replaced(company, signal.SIGTERM)
    assert set(answers) == WELL


def test_without_a_graceful_end_requests_do_fail(company: tuple[Path, dict[str, str]]) -> None:
    """The control: the load is such that a web process which just vanishes leaves requests unanswered."""
    answers = replaced(company, signal.SIGKILL)
    assert set(answers) - WELL != set()
