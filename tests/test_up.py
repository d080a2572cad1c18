"""`manage.py up` with real processes that are started, killed and stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests import live
from tests.live import Athena

pytestmark = pytest.mark.live


def test_a_taken_port_is_reported_before_anything_starts(live_athena: Athena, tmp_path: Path) -> None:
    env = os.environ | {"PORT": str(live_athena.port), "VAR_DIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "manage.py", "up"], cwd=live.ROOT, env=env, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith(f"CommandError: Port {live_athena.port} is in use.")
    assert result.stdout == ""
    assert not (tmp_path / "athena.sqlite3").exists()


def test_the_address_and_the_demo_accounts_are_printed(live_athena: Athena) -> None:
    assert f"Athena is ready: {live_athena.base_url}/admin/" in live_athena.output
    assert "maria@example.com     maria123     rep" in live_athena.output


def test_all_processes_end_together_and_start_again_with_the_same_data(tmp_path: Path) -> None:
    with live.own_engine() as engine:
        with live.up(tmp_path, DEMO="1", **engine) as athena:
            athena.wait_until_ready()
            assert "Demo data: 200 leads" in athena.output
            worker = athena.child("worker")
            live.wait_for(lambda: len(worker.children()) == 2, "the start of the worker's own processes")
            pool = worker.children()
            worker.kill()
            assert athena.process.wait(live.PATIENCE_SECONDS) == 1
            assert "The worker process ended by signal 9; the others have been stopped." in athena.output
            live.wait_for(lambda: not any(map(live.is_running, pool)), "the end of the worker's own processes")
            live.wait_for(lambda: not athena.processes(), "the end of all others")
        with live.up(tmp_path, DEMO="1", **engine) as athena:
            athena.wait_until_ready()
            assert "Demo data" not in athena.output
            # up; gunicorn and its worker; celery and its two; beat
            live.wait_for(lambda: len(athena.processes()) == 7, "the start of all")
            athena.process.send_signal(signal.SIGTERM)
            assert athena.process.wait(live.PATIENCE_SECONDS) == 0
            live.wait_for(lambda: not athena.processes(), "the end of all")


def test_prometheus_gets_the_metrics_of_all_web_processes(live_athena: Athena) -> None:
    """When metrics are read repeatedly, no counter goes back."""
    token = (live_athena.var_dir / "metrics_token").read_text()
    name = 'athena_requests_total{method="GET",route="/healthz",status="200"}'

    def scrape() -> float:
        with urlopen(f"{live_athena.base_url}/healthz"):
            request = Request(f"{live_athena.base_url}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urlopen(request) as response:
            lines = response.read().decode().splitlines()
        return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(name)))

    counts = [scrape() for _ in range(10)]
    assert [count - counts[0] for count in counts] == [float(n) for n in range(10)]
