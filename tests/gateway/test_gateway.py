"""Athena behind a gateway that does what `deploy/kong.yml` says."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.gateway.nginx import gateway
from tests.live import ROOT, Athena, prepared_engine, up

pytestmark = [pytest.mark.live, pytest.mark.postgres]  # what stands behind a gateway is not on SQLite
LOGIN = "/api/v1/auth/login"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Athena, str]]:
    """An Athena that trusts one hop, and the gateway's address."""
    folder = tmp_path_factory.mktemp("gateway")
    var_dir = folder / "var"
    settings = {"DEMO": "1", "TRUSTED_HOPS": "1"}
    with prepared_engine(var_dir, with_demo=True) as engine, up(var_dir, **settings, **engine) as athena:
        athena.wait_until_ready()
        with gateway(folder, athena.port) as address:
            yield athena, address


def send(url: str, body: object = None, **headers: str) -> tuple[int, Any, Any]:
    """The answer's status, headers and text."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize("name", ["follow_ups", "lead_scoring", "lead_transfer"])
def test_the_scripts_pass(behind: tuple[Athena, str], name: str) -> None:
    env = os.environ | {"BASE_URL": f"{behind[1]}/api/v1"}
    script = ROOT / "tests" / "scripts" / f"test_{name}.sh"
    done = subprocess.run([script], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_made_up_forwarding_header_changes_nobodys_address(behind: tuple[Athena, str]) -> None:
    wrong = {"email": "spoofed@example.com", "password": "wrong"}
    found = [send(behind[1] + LOGIN, wrong, **{"X-Forwarded-For": f"198.51.100.{n}"})[0] for n in range(6)]
    assert found == [401] * 5 + [429]


def test_links_name_the_address_that_was_asked(behind: tuple[Athena, str]) -> None:
    body = {"email": "admin@example.com", "password": "admin123"}
    token = json.loads(send(behind[1] + LOGIN, body)[2])["access_token"]
    _, _, text = send(f"{behind[1]}/api/v1/sales/leads?limit=1", Authorization=f"Bearer {token}")
    assert json.loads(text)["next"].startswith(f"{behind[1]}/api/v1/sales/leads?")


def test_a_body_is_as_large_as_the_gateway_lets_through(behind: tuple[Athena, str]) -> None:
    assert [send(behind[1] + LOGIN, b" " * size)[0] for size in (1_048_576, 1_048_577)] == [400, 413]


def test_requests_get_an_id_and_figures_stay_inside(behind: tuple[Athena, str]) -> None:
    status, headers, _ = send(f"{behind[1]}/healthz", **{"X-Request-ID": "mine-0123456789"})
    assert (status, len(headers["X-Request-ID"])) == (200, 32)
    assert send(f"{behind[1]}/metrics")[0] == 404


def test_an_address_gets_so_many_requests(behind: tuple[Athena, str], tmp_path: Path) -> None:
    with gateway(tmp_path, behind[0].port, per_minute=5) as address:
        found = [send(f"{address}/healthz")[0] for _ in range(12)]
    assert (found[:6], found[-1]) == ([200] * 6, 429)
