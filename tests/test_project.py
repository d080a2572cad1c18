"""What the repository promises about itself."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("athena", "sales", "notifications")
KINDS = {
    "gateway",
    "rights",
    "flows",
    "races",
    "faults",
    "browser",
    "clients",
    "scripts",
    "hostile",
}  # tests of no one module in particular
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE, LARGEST_FOLDER = 300, 50, 120, 15


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    """Path (from the root) and text of each Python file."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            yield path.relative_to(ROOT), path.read_text()


def test_files_and_functions_stay_small() -> None:
    too_long = []
    for path, text in sources(*PACKAGES, "bench"):
        if "migrations" in path.parts:
            continue
        if (lines := text.count("\n")) > LONGEST_FILE:
            too_long.append(f"{path}: {lines} lines")
        too_long += [
            f"{path}: {node.name} has {lines} lines"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
        ]
    assert not too_long, "\n".join(too_long)


def test_folders_stay_small() -> None:
    """A newcomer looks through a folder before they search it."""
    modules = Counter(
        path.parent for path, _ in sources(*PACKAGES) if path.name != "__init__.py" and "migrations" not in path.parts
    )
    assert {str(folder): count for folder, count in modules.items() if count > LARGEST_FOLDER} == {}


def test_lines_of_templates_and_style_sheets_stay_short() -> None:
    pages = [*(ROOT / "templates").rglob("*.*"), *(ROOT / "athena" / "static").rglob("*.css")]
    long_lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long_lines == []


def test_tests_mirror_the_code() -> None:
    """What sales/services promises is tested in tests/sales/services; the rest is in a folder of its kind."""
    folders = {path.parent.relative_to("tests") for path, _ in sources("tests") if path.name.startswith("test_")}
    astray = {folder for folder in folders if not (ROOT / folder).is_dir() and str(folder) not in KINDS}
    assert astray == set()


def test_each_test_for_postgresql_alone_says_why() -> None:
    marks = [(path, line) for path, text in sources("tests") for line in text.splitlines() if "mark.postgres" in line]
    assert [f"{path}: {line}" for path, line in marks if path.name != Path(__file__).name and "#" not in line] == []
