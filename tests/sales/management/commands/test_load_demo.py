from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction

from athena.accounts.models import User
from sales.models import Lead, LeadScoreHistory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def load(*args: str) -> str:
    out = StringIO()
    call_command("load_demo", *args, stdout=out)
    return out.getvalue()


def read_rows() -> dict[str, list]:
    """All rows of Athena's own tables, without the salts of passwords and the ids that the database assigned."""
    rows = {}
    for app in ("accounts", "sales", "notifications"):
        for model in apps.get_app_config(app).get_models():
            names = {field.attname for field in model._meta.concrete_fields} - {"password"}
            if model is LeadScoreHistory:
                names -= {"id"}
            ordered = sorted(names)
            rows[model.__name__] = sorted(model._default_manager.values_list(*ordered), key=repr)
    return rows


def test_it_says_what_it_created():
    assert load("--leads", "12") == "Demo data: 12 leads, 7 accounts.\n"
    assert Lead.objects.count() == 12


def test_the_same_day_gives_the_same_read_rows():
    results = []
    for _ in range(2):
        with transaction.atomic():
            load("--today", "2026-11-23", "--leads", "120")
            results.append(read_rows())
            transaction.set_rollback(True)
    first, second = results
    assert len(first["Lead"]) == 120
    assert first == second


def test_another_day_gives_other_read_rows():
    with transaction.atomic():
        load("--today", "2026-11-23", "--leads", "12")
        before = read_rows()
        transaction.set_rollback(True)
    load("--today", "2026-11-24", "--leads", "12")
    assert read_rows()["Lead"] != before["Lead"]


@pytest.mark.parametrize("today", ["2024-02-29", "2026-01-01", "2026-11-01", "2026-03-08", "2026-07-04"])
def test_any_day_works(today):
    """Also a leap day, a new year, and both days on which clocks change."""
    load("--today", today, "--leads", "60")
    assert Lead.objects.count() == 60
    assert Lead.objects.open().filter(pk__lte=4).count() == 4


def test_the_default_day_is_today(time_machine):
    time_machine.move_to("2026-11-24T03:00:00+00:00", tick=False)  # still the 23rd where the company is
    with transaction.atomic():
        load("--leads", "12")
        default = read_rows()
        transaction.set_rollback(True)
    load("--leads", "12", "--today", "2026-11-23")
    assert read_rows() == default


def test_it_refuses_a_database_in_use(make_user):
    make_user("somebody")
    with pytest.raises(CommandError, match="There are users already"):
        load()
    assert User.objects.count() == 1
    assert Lead.objects.count() == 0


@pytest.mark.parametrize("leads", ["3", "0", "-1", "1000001"])
def test_it_has_at_least_four_and_at_most_a_million_leads(leads):
    with pytest.raises(CommandError, match="at least 4 leads, and at most 1,000,000"):
        load("--leads", leads)
    assert not User.objects.exists()


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_the_progress(monkeypatch):
    monkeypatch.setattr("sales.demo.generator.MAX_HISTORIES", 10)
    terminal = Terminal()
    call_command("load_demo", "--leads", "20", stdout=StringIO(), stderr=terminal, no_color=True)
    bars = [line.split(" leads")[0] for line in terminal.getvalue().split("\r")[1:]]
    assert bars == [f"[{'#' * 20}{' ' * 20}] 10 of 20", f"[{'#' * 40}] 20 of 20"]
    assert terminal.getvalue().endswith("a second \n")


def test_a_log_shows_no_progress():
    log = StringIO()
    call_command("load_demo", "--leads", "12", stdout=StringIO(), stderr=log)
    assert log.getvalue() == ""


@pytest.mark.parametrize("size", [1, 17])
def test_the_size_of_the_chunks_does_not_matter(monkeypatch, size):
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr("sales.demo.generator.CHUNK", size)
        load("--today", "2026-11-23", "--leads", "60")
        in_small_chunks = read_rows()
        transaction.set_rollback(True)
    load("--today", "2026-11-23", "--leads", "60")
    assert read_rows() == in_small_chunks
