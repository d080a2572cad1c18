"""`.env.example` lists every setting, and only settings that exist."""

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


def list_read_settings(path: Path) -> set[str]:
    """The names in calls like `environment.number("PORT", 8080)` and `read_email_settings("EMAIL_URL")`."""
    return {
        str(call.args[0].value)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).startswith(("environment.", "read_email_settings"))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_the_example_lists_every_setting_that_is_read() -> None:
    listed = re.findall(r"(?m)^#([A-Z_]+)=", (ROOT / ".env.example").read_text())
    read = set().union(*(list_read_settings(ROOT / path) for path in READERS))
    assert sorted(listed) == sorted(read)


def test_no_other_module_reads_the_environment() -> None:
    """A setting that is read elsewhere would be missing from the list."""
    modules = [path for package in ("athena", "sales", "notifications") for path in (ROOT / package).rglob("*.py")]
    readers = {str(path.relative_to(ROOT)) for path in modules if re.search(r"\b(environ|getenv)\b", path.read_text())}
    assert readers == {
        *READERS,
        "athena/config/environment.py",
        "athena/config/email_settings.py",  # only uses the parser of the library django-environ
        "athena/celery.py",  # these two only name the settings module
        "athena/wsgi.py",
    }
