"""An invalid setting is reported by its name before anything starts."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management.utils import get_random_secret_key

from athena.api.throttle_rates import Rate
from athena.config import environment, secret_strength

STRONG = "Zq3vN8rTgY5wLk2HsPd7XbCj4MfUe9Ra"
WEAK = [
    "x", "secret", "changeme", "x" * 64, "ab" * 32, "0123456789" * 5, "abcdefghijklmnopqrstuvwxyz0123456789",
    "hunter2hunter2hunter2hunter2hunter2", "Tr0ub4dor&3Tr0ub4dor&3Tr0ub4dor&3", STRONG[:31], f"change-me-{STRONG}",
    f"django-insecure-{STRONG}", f"your-secret-key-{STRONG}", "qwertyuiopasdfghjklzxcvbnm1234567890",
    "01234567890123456789012345678901", " " * 40 + "x",
]  # fmt: skip
ROOT = Path(__file__).parents[3]
URL_WITH_SECRET = "://athena:hunter2@"


@pytest.fixture
def set_name(monkeypatch):
    """A function that sets the environment variable NAME."""
    return lambda text: monkeypatch.setenv("NAME", text)


READ = {
    "flag": lambda: environment.flag("NAME"),
    "number": lambda: environment.number("NAME", 5, maximum=65_535),
    "level": lambda: environment.one_of("NAME", "INFO", ("INFO", "ERROR")),
    "zone": lambda: environment.zone("NAME", "UTC"),
    "region": lambda: environment.region("NAME", "US"),
    "country": lambda: environment.holidays_country("NAME", "US"),
    "state": lambda: environment.holidays_region("NAME", "US"),
    "canton": lambda: environment.holidays_region("NAME", "SG"),
    "rate": lambda: environment.rate("NAME", "none"),
    "mailbox": lambda: environment.mailbox("NAME", "a@localhost"),
    "base": lambda: environment.base_url("NAME", "http://localhost"),
    "database": lambda: environment.database("NAME", Path("/data/athena.sqlite3"))["NAME"],
    "broker": lambda: environment.broker("NAME"),
    "words": lambda: environment.words("NAME"),
    "origins": lambda: environment.origins("NAME"),
}


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("flag", "1", True), ("flag", "Yes", True), ("flag", "off", False), ("flag", "", False),
        ("number", "65535", 65_535), ("number", " 7 ", 7), ("number", "", 5),
        ("level", "error", "ERROR"), ("level", "", "INFO"),
        ("zone", "Europe/Berlin", "Europe/Berlin"), ("region", "de", "DE"),
        ("country", "ca", "CA"), ("country", "", "US"), ("state", "ma", "MA"), ("state", "", ""),
        ("rate", "5/second", Rate(5, 1)), ("rate", "none", None), ("rate", "", None),
        ("mailbox", "Athena <a@b.example>", "Athena <a@b.example>"),
        ("base", "https://athena.example.com/", "https://athena.example.com"),
        ("base", "http://[::1]:8000", "http://[::1]:8000"),
        ("database", "", "/data/athena.sqlite3"), ("database", "postgres://u:p@h:5432/sales", "sales"),
        ("database", "postgresql://h/sales", "sales"), ("database", "sqlite:////tmp/x.sqlite3", "/tmp/x.sqlite3"),
        ("broker", "rediss://:p@h:6379/1", "rediss://:p@h:6379/1"), ("broker", "", ""),
        ("origins", "https://A.example, https://*.b.example:8443", ["https://a.example", "https://*.b.example:8443"]),
        ("origins", "", []),
        ("words", "a, b,,c ", ["a", "b", "c"]), ("words", " , ", []),
    ],
)  # fmt: skip
def test_settings_are_read(set_name, kind, text, expected):
    set_name(text)
    assert READ[kind]() == expected


@pytest.mark.parametrize(
    ("kind", "texts", "problem"),
    [
        ("flag", ["maybe", "2"], "must be 1 or 0"),
        ("number", ["x", "1.5", "-1", "0", "65536", "1e3", "٣", "9" * 30], "must be a whole number from 1 to 65,535"),
        ("level", ["LOUD"], "must be one of INFO, ERROR"),
        ("zone", ["Mars/Olympus", "America", "../etc", "/etc/localtime"], "must be a zone like Europe/Berlin"),
        ("region", ["XX", "USA"], "must be a country's two letters, like US"),
        ("country", ["XX", "Mars", "U"], "must be a country's two letters, like US"),
        ("canton", ["XX"], "must be a region of SG (it has none: leave this empty)"),
        ("rate", ["300", "5/week", "many"], "must be none or a number of requests per unit of time, like 300/minute"),
        (
            "origins",
            [
                "athena.example.com",
                "https://u@h",
                "https://h/x",
                "https://h;x",
                "https://h evil",
                "ftp://h",
                "https://*",
            ],
            "must be origins like https://www.example.com, without a path",
        ),
        ("mailbox", ["Athena", "a@", "a b@c"], "must be an address like Athena <athena@example.com>"),
        (
            "base",
            ["athena.example.com", "ftp://h", "https://", "http://h/athena", "http://u:p@h", "http://h:x"],
            "must be an address like https://athena.example.com, without a path",
        ),
    ],
)
def test_an_invalid_setting_ends_the_program_with_one_line(set_name, kind, texts, problem):
    for text in texts:
        set_name(text)
        with pytest.raises(environment.InvalidSetting) as raised:
            READ[kind]()
        assert str(raised.value) == f"Athena can't start: NAME {problem}, not {text!r}."


@pytest.mark.parametrize(
    ("kind", "texts", "problem"),
    [
        (
            "database",
            [
                f"mysql{URL_WITH_SECRET}h/x", f"postgres{URL_WITH_SECRET}h", f"postgres{URL_WITH_SECRET}h:port/x",
                "sqlite://", "sqlite://:memory:", "athena", f"postgres{URL_WITH_SECRET}[h/x",
            ],
            "must look like postgres://user:password@host:5432/athena or sqlite:////folder/athena.sqlite3.",
        ),
        ("broker", ["redis://", "localhost:6379", "http://h", f"redis{URL_WITH_SECRET}h:70000"],
         "must look like redis://:password@host:6379/0."),
    ],
)  # fmt: skip
def test_a_setting_that_may_hold_a_password_is_not_repeated(set_name, kind, texts, problem):
    for text in texts:
        set_name(text)
        with pytest.raises(environment.InvalidSetting) as raised:
            READ[kind]()
        assert str(raised.value) == f"Athena can't start: NAME {problem}"


def test_a_key_is_generated_once_or_must_be_set(set_name, tmp_path):
    secret = environment.secret("NAME", kept_in=tmp_path)
    assert len(secret) == 50
    assert environment.secret("NAME", kept_in=tmp_path) == secret
    assert (tmp_path / "name").stat().st_mode & 0o777 == 0o600
    with pytest.raises(environment.InvalidSetting, match="NAME must be set to a long random text"):
        environment.secret("NAME", kept_in=None)
    set_name(STRONG)
    assert environment.secret("NAME", kept_in=None) == STRONG


@pytest.mark.parametrize("weak", WEAK)
@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN"])
def test_a_key_that_can_be_guessed_is_refused_at_start(tmp_path, name, weak, monkeypatch):
    problem = (
        f"Athena can't start: {name} must be a random text of at least 32 characters (`make env` writes one into .env)."
    )
    for source in ("environment", "file"):
        monkeypatch.delenv(name, raising=False)
        if source == "file":
            (tmp_path / name.lower()).write_text(weak)
        else:
            monkeypatch.setenv(name, weak)
        with pytest.raises(environment.InvalidSetting) as raised:
            environment.secret(name, kept_in=tmp_path)
        assert str(raised.value) == problem


def test_random_keys_are_accepted():
    makers = [
        lambda: secrets.token_urlsafe(48),
        lambda: secrets.token_urlsafe(24),
        lambda: secrets.token_hex(16),
        get_random_secret_key,
        lambda: uuid4().hex,
        lambda: str(uuid4()),
    ]
    keys = [make() for make in makers for _ in range(500)]
    assert [secret_strength.require_strong(key) for key in keys] == keys


def test_two_processes_that_generate_a_key_at_once_get_the_same_whole_key(set_name, tmp_path, monkeypatch):
    keys = []

    def generate_in_both():
        monkeypatch.setattr(environment, "get_random_secret_key", lambda: "x" + STRONG)
        keys.append(environment.secret("NAME", kept_in=tmp_path))
        return STRONG

    monkeypatch.setattr(environment, "get_random_secret_key", generate_in_both)
    assert environment.secret("NAME", kept_in=tmp_path) == "x" + STRONG
    assert keys == ["x" + STRONG]
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_a_folder_is_created_or_its_problem_is_named(tmp_path):
    assert environment.folder("NAME", tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(environment.InvalidSetting, match="NAME names a folder that can't be created"):
        environment.folder("NAME", tmp_path / "file")


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-m", "gunicorn", "--config", "python:athena.runtime.gunicorn_conf", "athena.wsgi"],
        ["-m", "celery", "--app", "athena", "worker"],
        ["-m", "celery", "--app", "athena", "beat"],
        ["-m", "athena.runtime.healthcheck", "web"],
    ],
    ids=lambda command: command[-1],
)
def test_every_program_ends_with_only_that_line(command, tmp_path):
    settings = {"TICK_SECONDS": "often", "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "athena.settings"}
    result = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=60
    )
    message = "Athena can't start: TICK_SECONDS must be a whole number from 1 to 3,600, not 'often'.\n"
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == message


def test_a_named_env_file_must_exist(tmp_path):
    settings = {"ENV_FILE": str(tmp_path / "no.env"), "VAR_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "check"]
    result = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr == f"Athena can't start: ENV_FILE names a file that does not exist: {tmp_path}/no.env\n"
