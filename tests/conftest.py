"""Keeps tests away from the developer's own data and settings, and selects those that this round's engine can run."""

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

pytest_plugins = ["tests.fixtures", "tests.live", "tests.smtp"]

ENGINE_SETTINGS = {"DATABASE_URL", "REDIS_URL"}


def _isolate_settings() -> None:
    """Use the settings of a fresh clone and a temporary VAR_DIR; only the engine comes from the environment."""
    if settings.configured:
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests set up Django themselves.")
    var = tempfile.mkdtemp(prefix="athena-tests-")
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    example = Path(__file__).parent.parent / ".env.example"
    for name in set(re.findall(r"(?m)^#?([A-Z_]+)=", example.read_text())) - ENGINE_SETTINGS:
        os.environ.pop(name, None)
    os.environ |= {"VAR_DIR": var, "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "athena.settings"}
    django.setup()
    # No static files were collected, so pages must use their plain names.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from athena.celery import app

    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 8 * Argon2PasswordHasher.parallelism
    app.conf.update(broker_url="memory://", broker_transport_options={})
    del os.environ["DJANGO_SETTINGS_MODULE"]  # the processes of pytest-xdist come here, too


_isolate_settings()


def pytest_report_header() -> str:
    engine = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    return f"athena: {engine}, {'redis' if settings.REDIS_URL else 'a broker in files'} (live tests)"


# Tests that share something expensive run in one process of pytest-xdist, which makes it once: by the fixtures that
# they ask for, and by the files that hold them. All others are given out one by one, and not file by file, since
# pytest-django keeps the tests that empty all tables for the end.
SHARED_FIXTURES = {"live_athena": "live_athena", "server": "hostile_server", "impatient": "hostile_server"}
SHARED_FILES = {
    "tests/sales/demo/": "demo",
    "tests/hostile/test_schema.py": "schema",
    "tests/athena/api/test_query_counts.py": "api_query_counts",
    "tests/sales/admin/test_list_query_counts.py": "admin_query_counts",
    "tests/athena/test_time_zones.py": "time_zones",
}


def _find_group(item: pytest.Item) -> str | None:
    """The name of the group of tests that run in the same process as `item`."""
    fixtures = getattr(item, "fixturenames", ())
    by_fixture = (group for name, group in SHARED_FIXTURES.items() if name in fixtures)
    by_file = (group for path, group in SHARED_FILES.items() if item.nodeid.startswith(path))
    return next(by_fixture, next(by_file, None))


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if group := _find_group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.get_closest_marker("live") is None)  # slow tests first
    if "postgresql" in settings.DATABASES["default"]["ENGINE"]:
        return
    deselected = [item for item in items if item.get_closest_marker("postgres")]
    items[:] = [item for item in items if item not in deselected]
    if deselected:
        config.hook.pytest_deselected(items=deselected)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """With ATHENA_REQUIRE_SERVICES, count a skipped test as failed: something that it needs is missing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ATHENA_REQUIRE_SERVICES"):
        report.outcome, report.longrepr = (
            "failed",
            f"skipped, but ATHENA_REQUIRE_SERVICES is set: {report.longrepr}",
        )
    return report
