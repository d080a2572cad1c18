"""API clients that two generators make from the served schema work with a running Athena."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.live import Athena

pytestmark = pytest.mark.live
HERE = Path(__file__).parent
GENERATORS = {  # name: (module, arguments of python)
    "openapi_generator": (
        "openapi_generator_cli",
        ["-c", "import openapi_generator_cli; openapi_generator_cli.cli()", "generate",
         "-i", "{schema}", "-g", "python", "-o", "{folder}", "--additional-properties=packageName=athena_client"],
    ),
    "openapi_python_client": (
        "openapi_python_client",
        ["-m", "openapi_python_client", "generate", "--path", "{schema}", "--output-path", "{folder}"],
    ),
}  # fmt: skip


@pytest.fixture
def schema(live_athena: Athena, tmp_path: Path) -> Path:
    """The schema as a client gets it, after signing in."""
    headers = {"Authorization": f"Bearer {live_athena.log_in('maria')}", "Accept": "application/json"}
    with urlopen(Request(f"{live_athena.base_url}/api/v1/schema", headers=headers)) as answer:
        served = json.load(answer)
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(served))
    return file


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], env=os.environ | environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generated_client_works(live_athena: Athena, schema: Path, tmp_path: Path, name: str) -> None:
    module, arguments = GENERATORS[name]
    pytest.importorskip(module)
    folder = tmp_path / "made"
    run(*(argument.format(schema=schema, folder=folder) for argument in arguments))
    run("-c", IMPORT_ALL, PYTHONPATH=str(folder))
    assert run(str(HERE / f"{name}.py"), live_athena.base_url, PYTHONPATH=str(folder)) == "done\n"


IMPORT_ALL = """
import athena_client, importlib, pkgutil
for module in pkgutil.walk_packages(athena_client.__path__, "athena_client."):
    importlib.import_module(module.name)
"""
