"""`.env.example` lists every setting, and only those."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
READERS = (
    "athena/settings.py",
    "athena/runtime/supervisor.py",
    "athena/runtime/healthcheck.py",
    "athena/runtime/gunicorn_conf.py",
)


def settings_read(path: Path) -> set[str]:
    """The names in calls like `env.int("PORT", default=8080)`."""
    return {
        str(call.args[0].value)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_lists_what_is_read() -> None:
    listed = re.findall(r"(?m)^#([A-Z_]+)=", (ROOT / ".env.example").read_text())
    assert sorted(listed) == sorted(set().union(*(settings_read(ROOT / path) for path in READERS)))


def test_nobody_else_reads_the_environment() -> None:
    """Elsewhere a setting would be missing from the list (the command line names the settings module, no more)."""
    code = [path for part in ("athena", "sales", "notifications") for path in (ROOT / part).rglob("*.py")]
    readers = {str(path.relative_to(ROOT)) for path in code if re.search(r"\b(environ|getenv)\b", path.read_text())}
    assert readers == {
        "athena/config/environment.py",
        "athena/settings.py",
        "athena/runtime/supervisor.py",
        "athena/runtime/healthcheck.py",
        "athena/runtime/gunicorn_conf.py",
    } | {
        "athena/celery.py",
        "athena/wsgi.py",
    }
