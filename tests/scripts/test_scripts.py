"""The shell scripts pass against a running Athena, and pass again on what the first run has left."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.live import Athena

HERE = Path(__file__).parent

pytestmark = pytest.mark.live


@pytest.mark.parametrize("name", ["follow_ups", "lead_scoring", "lead_transfer"])
def test_passes_run_after_run(live_athena: Athena, name: str) -> None:
    env = os.environ | {"BASE_URL": f"{live_athena.base_url}/api/v1"}
    for _ in range(2):
        done = subprocess.run([HERE / f"test_{name}.sh"], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_answer_fails_a_script(live_athena: Athena) -> None:
    env = os.environ | {"BASE_URL": f"{live_athena.base_url}/api/v2"}
    done = subprocess.run([HERE / "test_follow_ups.sh"], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "FAILED: GET /sales/follow-ups/my-tasks: 404 instead of 401" in done.stderr
