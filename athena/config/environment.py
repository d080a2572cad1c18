"""Reads settings from the environment: one function for each type of setting.

An invalid setting ends the program with a line that says what to set. The line does not repeat the value of a setting
that may hold a password. An empty setting counts as not set.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from email.utils import parseaddr
from pathlib import Path
from stat import S_IMODE, S_ISLNK, S_ISVTX
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import environ
import holidays
import phonenumbers
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from athena import host_names, time_zones
from athena.api.throttle_rates import Rate
from athena.config import secret_strength
from athena.http.origins import parse_origin

T = TypeVar("T")
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_env = environ.Env()


class InvalidSetting(SystemExit):
    """Ends the program with one line and without a traceback."""

    def __init__(self, name: str, needs: str) -> None:
        super().__init__(f"Athena can't start: {name} {needs}")


def read_file(path: Path, *, required: bool) -> None:
    """Read the settings in a `.env` file. A variable that is set in the environment already keeps its value."""
    if path.is_file():
        _env.read_env(str(path))
    elif required and not path.exists():
        raise InvalidSetting("ENV_FILE", f"names a file that does not exist: {path}")


def text(name: str, default: str = "") -> str:
    value: str = _env.str(name, default="")
    return value.strip() or default


def words(name: str) -> list[str]:
    """The comma-separated values of a setting."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def origins(name: str) -> list[str]:
    """Comma-separated origins; `https://*.example.com` means all hosts of that domain."""

    def parse(value: str) -> list[str]:
        return [_parse_origin_pattern(word) for word in value.split(",") if word.strip()]

    return parse_setting(
        name, ",".join(words(name)), parse, "must be origins like https://www.example.com, without a path"
    )


def flag(name: str, *, default: bool = False) -> bool:
    return parse_setting(name, text(name, str(default)), lambda value: _FLAGS[value.lower()], "must be 1 or 0")


def number(name: str, default: int, *, minimum: int = 1, maximum: int = 1_000_000) -> int:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not minimum <= int(value) <= maximum:
            raise ValueError
        return int(value)

    return parse_setting(name, text(name, str(default)), parse, f"must be a whole number from {minimum} to {maximum:,}")


def one_of(name: str, default: str, choices: tuple[str, ...]) -> str:
    def parse(value: str) -> str:
        return choices[choices.index(value.upper())]

    return parse_setting(name, text(name, default), parse, f"must be one of {', '.join(choices)}")


def zone(name: str, default: str) -> str:
    def parse(value: str) -> str:
        if value not in time_zones.list_names():
            raise ValueError
        return value

    return parse_setting(name, text(name, default), parse, "must be a zone like Europe/Berlin")


def region(name: str, default: str) -> str:
    def parse(value: str) -> str:
        if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError
        return value.upper()

    return parse_setting(name, text(name, default), parse, "must be a country's two letters, like US")


def holidays_country(name: str, default: str) -> str:
    def parse(value: str) -> str:
        holidays.country_holidays(value.upper())
        return value.upper()

    return parse_setting(name, text(name, default), parse, "must be a country's two letters, like US")


def holidays_region(name: str, country: str) -> str:
    """A region of the country that has its own holidays, or an empty text."""
    value = text(name)
    if not value:
        return ""
    regions = {region.upper(): region for region in holidays.country_holidays(country).subdivisions}
    known = ", ".join(regions.values()) or "it has none: leave this empty"
    return parse_setting(name, value, lambda given: regions[given.upper()], f"must be a region of {country} ({known})")


def rate(name: str, default: str) -> Rate | None:
    """A limit of requests such as `300/minute`, or None for no limit."""
    value = text(name, default)
    if value == "none":
        return None
    return parse_setting(
        name, value, Rate.parse, "must be none or a number of requests per unit of time, like 300/minute"
    )


def mailbox(name: str, default: str) -> str:
    """A name and an email address. A non-ASCII host is converted to ASCII."""

    def parse(value: str) -> str:
        address = parseaddr(value)[1]
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", address) or not value.isprintable():
            raise ValueError
        return value.replace(address, host_names.ascii_address(address))

    return parse_setting(name, text(name, default), parse, "must be an address like Athena <athena@example.com>")


def base_url(name: str, default: str) -> str:
    needs = "must be an address like https://athena.example.com, without a path"

    def parse(value: str) -> str:
        parts = split_url(value, "http", "https")
        if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
            raise ValueError
        return host_names.ascii_url(f"{parts.scheme}://{parts.netloc}")

    return parse_setting(name, text(name, default), parse, needs)


def hosts(name: str) -> list[str]:
    """Comma-separated host names in ASCII; `.example.com` means a domain with all its hosts, `*` any host."""

    def parse(word: str) -> str:
        host = word.removeprefix(".")
        return word if word == "*" else word[: len(word) - len(host)] + host_names.ascii_host(host)

    return [parse_setting(name, word, parse, "must be host names like www.example.com") for word in words(name)]


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's settings for a PostgreSQL database, or for SQLite in a file."""
    needs = "must look like postgres://user:password@host:5432/athena or sqlite:////folder/athena.sqlite3"

    def parse(value: str) -> dict[str, Any]:
        parts = split_url(value, "postgres", "postgresql", "sqlite", host_required=False)
        config: dict[str, Any] = _env.db_url_config(value)
        if not config["NAME"] or config["NAME"] == ":memory:" or (parts.scheme == "sqlite" and parts.netloc):
            raise ValueError
        return config

    value = text(name)
    if not value:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
    return parse_setting(name, value, parse, needs, secret=True)


def broker(name: str) -> str:
    """The URL of Redis, or an empty text."""
    return _optional_url(name, "must look like redis://:password@host:6379/0", "redis", "rediss")


def folder(name: str, default: Path) -> Path:
    """A writable folder, which is created if it is missing and closed to other accounts."""
    path = Path(text(name, str(default)))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(name, f"names a folder that can't be created: {path} ({error.strerror})") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise InvalidSetting(name, f"names a folder that is not writable: {path}")
    make_private(path.resolve())
    return path


def make_private(path: Path) -> None:
    """Close a file or folder of ours to all other accounts. A shared folder such as /tmp stays as it is."""
    status = path.lstat()
    if status.st_uid == os.geteuid() and not S_ISLNK(status.st_mode) and not status.st_mode & S_ISVTX:
        path.chmod(S_IMODE(status.st_mode) & ~0o077)


def secret(name: str, *, kept_in: Path | None) -> str:
    """A key that nobody can guess.

    If it is not set, the first call generates it and keeps it in the folder `kept_in` (mode 0600); with None it must be
    set. A key that is short, a known example or a pattern is refused.
    """
    needs = (
        f"must be a random text of at least {secret_strength.MIN_LENGTH} characters (`make env` writes one into .env)"
    )
    return parse_setting(name, _secret(name, kept_in), secret_strength.require_strong, needs, secret=True)


def _secret(name: str, kept_in: Path | None) -> str:
    if value := text(name):
        return value
    if kept_in is None:
        raise InvalidSetting(name, "must be set to a long random text (`make env` writes one into .env).")
    path = kept_in / name.lower()
    if not path.exists():
        with NamedTemporaryFile("w", dir=kept_in) as new:  # mode 0600; it gets its name once it is complete
            new.write(get_random_secret_key())
            new.flush()
            os.fsync(new.fileno())
            with suppress(FileExistsError):  # another process was faster: all use its key
                os.link(new.name, path)
    return path.read_text().strip()


def _optional_url(name: str, needs: str, *schemes: str) -> str:
    value = text(name)
    if value:
        parse_setting(name, value, lambda given: split_url(given, *schemes), needs, secret=True)
    return value


def _parse_origin_pattern(word: str) -> str:
    if "://*." in word:
        return parse_origin(word.replace("://*.", "://", 1)).replace("://", "://*.", 1)
    return parse_origin(word)


def split_url(value: str, *schemes: str, host_required: bool = True) -> SplitResult:
    """Split a URL. Raises `ValueError` for another scheme, an invalid port or a missing host."""
    parts = urlsplit(value)
    if parts.scheme not in schemes or (host_required and not parts.hostname) or parts.port == 0:
        raise ValueError
    return parts


def parse_setting(name: str, value: str, parse: Callable[[str], T], needs: str, *, secret: bool = False) -> T:
    """The parsed value. Raises `InvalidSetting`, which repeats the value unless it may be `secret`."""
    try:
        return parse(value)
    except (ValueError, KeyError, OSError, NotImplementedError, ImproperlyConfigured) as error:
        raise InvalidSetting(name, f"{needs}." if secret else f"{needs}, not {value!r}.") from error
