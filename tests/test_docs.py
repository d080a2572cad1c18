"""The documents say what is so: their settings, links, pictures and examples are checked."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT, Athena

PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "bench" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#([^)]*))?\)")


def settings_table() -> str:
    """`.env.example` as the table of `docs/operations.md`."""
    rows = ["| setting | default | |", "|---|---|---|"]
    words: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines()[2:]:
        if match := re.fullmatch(r"#([A-Z_]+)=(.*)", line):
            rows.append(f"| `{match[1]}` | {f'`{match[2]}`' if match[2] else ''} | {' '.join(words)} |")
            words = []
        elif line.startswith("# ---") or not line:
            words = []
        else:
            words.append(line.removeprefix("# "))
    return "\n".join(rows)


def test_operations_lists_the_settings_as_the_example_file_does() -> None:
    assert settings_table() in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    missing = []
    for target, _ in LINK.findall(page.read_text()):
        if not target.startswith("http") and not (page.parent / target).exists():
            missing.append(target)
    assert missing == []


def test_every_document_and_picture_is_linked() -> None:
    linked = {(page.parent / target).resolve() for page in PAGES for target, _ in LINK.findall(page.read_text())}
    documents = {path for path in (ROOT / "docs").rglob("*") if path.is_file()}
    assert documents - linked == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:athena|sales|notifications|tests|bench|deploy|docs)/[\w./-]*)`", page.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


@pytest.mark.live
def test_the_examples_with_curl_work_one_after_the_other(live_athena: Athena, tmp_path: Path) -> None:
    script = "set -eu\n" + "\n".join(blocks("api.md", "sh")).replace("http://localhost:8080", live_athena.base_url)
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.live
def test_the_example_in_python_works_twice(live_athena: Athena) -> None:
    (script,) = blocks("api.md", "python")
    for _ in range(2):
        env = os.environ | {"ATHENA": live_athena.base_url}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"(.+: \d+ points\n)+Planned: \d{4}-\d{2}-\d{2}\n", done.stdout)
