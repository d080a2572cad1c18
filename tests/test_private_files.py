"""Only the account that runs Athena may read or write its files."""

import os
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE, S_ISLNK

import pytest

from athena.config import environment
from tests import live


def list_files_open_to_others(folder: Path) -> list[str]:
    """The files and folders that another account may read, write or enter, with their modes."""
    modes = [(path, path.lstat().st_mode) for path in (folder, *folder.rglob("*")) if path.exists()]
    return [f"{path}: {S_IMODE(mode):o}" for path, mode in modes if mode & 0o077 and not S_ISLNK(mode)]


@pytest.mark.live
def test_a_running_athena_keeps_its_files_private_even_those_that_were_open_before(tmp_path: Path) -> None:
    var_dir = tmp_path / "var"
    previous_umask = os.umask(0o022)
    try:
        for name in ("mail/old.eml", "broker/queue/old.msg", "static/old.css", "athena.sqlite3", "metrics_token.old"):
            (var_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (var_dir / name).touch()
        assert len(list_files_open_to_others(var_dir)) >= 10
        with live.own_engine() as engine, live.up(var_dir, DEMO="1", **engine) as athena:
            athena.wait_until_ready()
            token = athena.log_in("manager")
            athena.call("POST", "/sales/leads", {"company_name": "Private"}, token=token)
            athena.call("POST", "/sales/scoring/recalculate-all", token=token)
            live.wait_for(lambda: list(var_dir.glob("metrics/*.db")), "metrics in files")
            assert list_files_open_to_others(var_dir) == []
    finally:
        os.umask(previous_umask)


@pytest.mark.parametrize("command", [["manage.py", "check"], ["-m", "athena.runtime.healthcheck", "web"]])
def test_every_program_makes_the_folder_and_its_files_private(tmp_path: Path, command: list[str]) -> None:
    var_dir = tmp_path / "var"
    var_dir.mkdir()
    var_dir.chmod(0o755)
    settings = {"VAR_DIR": str(var_dir), "DJANGO_SETTINGS_MODULE": "athena.settings", "PORT": "1"}
    subprocess.run([sys.executable, *command], cwd=live.ROOT, env=os.environ | settings, capture_output=True)
    assert sorted(path.name for path in var_dir.iterdir()) >= ["broker", "jwt_signing_key", "metrics_token"]
    assert list_files_open_to_others(var_dir) == []


def test_a_shared_folder_and_the_targets_of_links_keep_their_modes(tmp_path: Path) -> None:
    shared, file, link = tmp_path / "shared", tmp_path / "file", tmp_path / "link"
    shared.mkdir()
    shared.chmod(0o1777)
    file.touch()
    file.chmod(0o644)
    link.symlink_to(file)
    for path in (shared, link):
        environment.make_private(path)
    assert S_IMODE(shared.stat().st_mode) == 0o1777
    assert S_IMODE(file.stat().st_mode) == 0o644
    environment.make_private(file)
    assert S_IMODE(file.stat().st_mode) == 0o600
