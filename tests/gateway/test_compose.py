"""`docker-compose.yml`: sound by the specification's schema, and its own commands run as they stand there."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import jsonschema
import pytest
import yaml

from tests import live
from tests.servers import free_port

COMPOSE: dict[str, Any] = yaml.safe_load((live.ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SETTINGS: dict[str, str] = COMPOSE["x-athena"]["environment"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "athena"}
SECRET = secrets.token_urlsafe(48)
SECRETS = {"SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def test_it_keeps_to_the_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(COMPOSE)] == []
    broken = COMPOSE | {"services": {"web": {"comand": "x"}}}
    assert list(jsonschema.Draft7Validator(schema).iter_errors(broken))


def test_every_service_that_stays_has_a_health_check_and_comes_back() -> None:
    assert set(SERVICES) == {"gateway", "prepare", "web", "worker", "beat", "db", "redis"}
    staying = {name: service for name, service in SERVICES.items() if name != "prepare"}
    assert {name for name, service in staying.items() if "healthcheck" not in service} == set()
    assert {service["restart"] for service in staying.values()} == {"unless-stopped"}
    assert all(service["cap_drop"] == ["ALL"] for service in OURS.values())


def test_only_the_gateway_is_open_and_nothing_starts_without_secrets() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    text = (live.ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        uses = re.findall(rf"\$\{{{name}[^}}]*\}}", text)
        assert {use.partition("?")[0] for use in uses} == {f"${{{name}:"}


def test_its_settings_are_settings() -> None:
    listed = re.findall(r"(?m)^#([A-Z_]+)=", (live.ROOT / ".env.example").read_text())
    assert set(SETTINGS) <= set(listed)


def test_make_env_writes_every_secret_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"

    def make() -> subprocess.CompletedProcess[str]:
        command = ["sh", str(live.ROOT / "deploy" / "make-env"), str(file), sys.executable]
        return subprocess.run(command, capture_output=True, text=True)

    assert make().returncode == 0
    text = file.read_text()
    values = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    assert set(values) >= SECRETS
    assert len({values[name] for name in SECRETS}) == len(SECRETS)
    assert all(len(values[name]) == 64 for name in SECRETS)
    assert file.stat().st_mode & 0o777 == 0o600
    again = make()
    assert (again.returncode, file.read_text()) == (1, text)
    assert "is there already; nothing was changed." in again.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The services' settings as compose would fill them in, but for the engine, which is this round's."""
    filled = {
        name: re.sub(r"\$\{(\w+):([-?])([^}]*)\}", lambda m: m[3] if m[2] == "-" else SECRET, value)
        for name, value in SETTINGS.items()
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        del filled[name]
    with live.own_engine() as engine:
        filled["BASE_URL"] = "https://athena.example.com"
        own = {"VAR_DIR": str(tmp_path), "HOST": "127.0.0.1", "PORT": str(free_port()), "TICK_SECONDS": "2"}
        yield os.environ | filled | own | engine


def arguments(command: list[str]) -> list[str]:
    """The command with this environment's programs."""
    first, *rest = command
    return [sys.executable, *rest] if first == "python" else [sys.executable, "-m", first, *rest]


def metrics(port: int) -> int:
    """The status that Prometheus gets, which knows the service's name and asks without TLS."""
    headers = {"Host": "web:8000", "Authorization": f"Bearer {SECRET}"}
    with urlopen(Request(f"http://localhost:{port}/metrics", headers=headers)) as answer:
        return int(answer.status)


@pytest.mark.live
@pytest.mark.postgres  # compose names PostgreSQL
def test_its_commands_and_health_checks_work(environment: dict[str, str]) -> None:
    def healthy(name: str) -> bool:
        kind, *command = OURS[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(arguments(command), cwd=live.ROOT, env=environment).returncode == 0

    subprocess.run(arguments(OURS["prepare"]["command"]), cwd=live.ROOT, env=environment, check=True)
    assert not any(healthy(name) for name in ("web", "worker", "beat"))
    running = []
    try:
        for name in ("web", "worker", "beat"):
            command = arguments(OURS[name]["command"])
            running.append(subprocess.Popen(command, cwd=live.ROOT, env=environment, start_new_session=True))
        for name in ("web", "worker", "beat"):
            live.wait_for(lambda name=name: healthy(name), f"the health of {name}")  # type: ignore[misc]
        assert metrics(int(environment["PORT"])) == 200
    finally:
        for process in running:
            process.terminate()
        statuses = [process.wait(live.PATIENCE_SECONDS) for process in running]
    assert statuses == [0, 0, 0]
