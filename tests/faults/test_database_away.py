"""The database refuses connections while Athena runs, and later accepts them again."""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.live import Athena, prepared_engine, up, wait_for
from tests.servers import administer

pytestmark = [pytest.mark.live, pytest.mark.postgres]  # SQLite's is a file: it is there
LOGIN = {"email": "manager@example.com", "password": "manager123"}


@pytest.fixture(scope="module")
def athena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Athena, str]]:
    """A running Athena, and the name of its database."""
    folder = tmp_path_factory.mktemp("away")
    with prepared_engine(folder, with_demo=True) as engine, up(folder, DEMO="1", **engine) as running:
        running.wait_until_ready()
        yield running, urlsplit(engine["DATABASE_URL"]).path.strip("/")


def allow_connections(database: str, allowed: bool) -> None:
    server = os.environ["DATABASE_URL"]
    administer(server, f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS {allowed}")
    if not allowed:
        administer(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


def ask(athena: Athena, path: str, body: object = None, token: str = "") -> tuple[int, Any, str]:
    """Send a request and return the status, the Retry-After header and the body."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(athena.base_url + path, data, headers), timeout=60) as answer:
            return answer.status, answer.headers["Retry-After"], answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Retry-After"], error.read().decode()


def test_everybody_is_told_to_try_again_and_nothing_needs_a_restart(athena: tuple[Athena, str]) -> None:
    running, database = athena
    token = running.log_in("manager")
    before = running.call("GET", "/sales/leads?limit=1&count=true", token=token)["count"]
    allow_connections(database, False)
    try:
        calls: list[tuple[str, object]] = [
            ("/api/v1/sales/leads", None), ("/api/v1/sales/leads", {"company_name": "Choir"}),
            ("/api/v1/auth/login", LOGIN), ("/api/v1/auth/me", None),
        ]  # fmt: skip
        for path, body in calls:
            for _ in range(2):
                status, retry_after, text = ask(running, path, body, token)
                assert status == 503, path
                assert retry_after == "5", path
                assert json.loads(text)["code"] == "unavailable", path
        assert ask(running, "/healthz")[0] == 200
        assert ask(running, "/readyz")[0] == 503
    finally:
        allow_connections(database, True)
    status, _, text = ask(running, "/api/v1/sales/leads", {"company_name": "Choir"}, token)
    assert status == 201
    assert json.loads(text)["company_name"] == "Choir"
    after = running.call("GET", "/sales/leads?limit=1&count=true", token=token)["count"]
    assert after == before + 1
    wait_for(lambda: '"status": "ok"' in ask(running, "/readyz")[2], "all parts working again")
    assert running.process.poll() is None
    # The log has one line for each failed request, without a traceback.
    lines = [json.loads(line) for line in running.output.splitlines() if line.startswith("{")]
    away = [line for line in lines if line["event"] == "database_unavailable"]
    assert len(away) >= len(calls)
    assert all("exception" not in line and line["request_id"] for line in away)
