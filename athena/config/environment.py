"""Reads settings from the environment. One that makes no sense ends the program with a line that says what to set.

An empty setting is one that is not set. What a setting holds is not repeated where it may hold a password.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from stat import S_IMODE, S_ISLNK, S_ISVTX
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

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


class WrongSetting(SystemExit):
    """Ends the program, with a line and without a trace."""

    def __init__(self, name: str, needs: str) -> None:
        super().__init__(f"Athena can't start: {name} {needs}")


def read_file(path: Path, *, required: bool) -> None:
    """Take the lines of a `.env`; what the environment has itself wins."""
    if path.is_file():
        _env.read_env(str(path))
    elif required and not path.exists():
        raise WrongSetting("ENV_FILE", f"names a file that is not there: {path}")


def text(name: str, default: str = "") -> str:
    found: str = _env.str(name, default="")
    return found.strip() or default


def words(name: str) -> list[str]:
    """What is separated by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def origins(name: str) -> list[str]:
    """Origins, separated by commas; `https://*.example.com` stands for all hosts within that domain."""

    def parse(value: str) -> list[str]:
        return [parse_origin(word.replace("://*.", "://", 1)).replace("://", "://*." if "://*." in word else "://", 1)
                for word in value.split(",") if word.strip()]  # fmt: skip

    return _parsed(name, ",".join(words(name)), parse, "must be origins like https://www.example.com, without a path")


def flag(name: str, *, default: bool = False) -> bool:
    return _parsed(name, text(name, str(default)), lambda value: _FLAGS[value.lower()], "must be 1 or 0")


def number(name: str, default: int, *, least: int = 1, most: int = 1_000_000) -> int:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError
        return int(value)

    return _parsed(name, text(name, str(default)), parse, f"must be a whole number from {least} to {most:,}")


def one_of(name: str, default: str, choices: tuple[str, ...]) -> str:
    def parse(value: str) -> str:
        return choices[choices.index(value.upper())]

    return _parsed(name, text(name, default), parse, f"must be one of {', '.join(choices)}")


def zone(name: str, default: str) -> str:
    def parse(value: str) -> str:
        if value not in time_zones.list_names():
            raise ValueError
        return value

    return _parsed(name, text(name, default), parse, "must be a zone like Europe/Berlin")


def region(name: str, default: str) -> str:
    def parse(value: str) -> str:
        if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError
        return value.upper()

    return _parsed(name, text(name, default), parse, "must be a country's two letters, like US")


def holidays_country(name: str, default: str) -> str:
    def parse(value: str) -> str:
        holidays.country_holidays(value.upper())
        return value.upper()

    return _parsed(name, text(name, default), parse, "must be a country's two letters, like US")


def holidays_region(name: str, country: str) -> str:
    """A part of the country that has holidays of its own; empty for none."""
    value = text(name)
    if not value:
        return ""
    regions = {region.upper(): region for region in holidays.country_holidays(country).subdivisions}
    known = ", ".join(regions.values()) or "there is none: leave it empty"
    return _parsed(name, value, lambda given: regions[given.upper()], f"must be a region of {country} ({known})")


def rate(name: str, default: str) -> Rate | None:
    """None is no limit."""
    value = text(name, default)
    if value == "none":
        return None
    return _parsed(name, value, Rate.parse, "must be none or a number of requests in a time, like 300/minute")


def mailbox(name: str, default: str) -> str:
    """A name and an address, which is in ASCII."""

    def parse(value: str) -> str:
        address = parseaddr(value)[1]
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", address) or not value.isprintable():
            raise ValueError
        return value.replace(address, host_names.ascii_address(address))

    return _parsed(name, text(name, default), parse, "must be an address like Athena <athena@example.com>")


def base_url(name: str, default: str) -> str:
    needs = "must be an address like https://athena.example.com, without a path"

    def parse(value: str) -> str:
        parts = _url(value, "http", "https")
        if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
            raise ValueError
        return host_names.ascii_url(f"{parts.scheme}://{parts.netloc}")

    return _parsed(name, text(name, default), parse, needs)


def hosts(name: str) -> list[str]:
    """Hosts, separated by commas, in ASCII; `.example.com` is all of a domain, `*` any."""

    def parse(word: str) -> str:
        host = word.removeprefix(".")
        return word if word == "*" else word[: len(word) - len(host)] + host_names.ascii_host(host)

    return [_parsed(name, word, parse, "must be host names like www.example.com") for word in words(name)]


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's settings of PostgreSQL, or of SQLite in a file."""
    needs = "must look like postgres://user:password@host:5432/athena or sqlite:////folder/athena.sqlite3"

    def parse(value: str) -> dict[str, Any]:
        parts = _url(value, "postgres", "postgresql", "sqlite", host_required=False)
        found: dict[str, Any] = _env.db_url_config(value)
        if not found["NAME"] or found["NAME"] == ":memory:" or (parts.scheme == "sqlite" and parts.netloc):
            raise ValueError
        return found

    value = text(name)
    if not value:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
    return _parsed(name, value, parse, needs, secret=True)


def broker(name: str) -> str:
    """Redis's address; empty where there is none."""
    return _optional_url(name, "must look like redis://:password@host:6379/0", "redis", "rediss")


def mail_server(name: str) -> dict[str, Any]:
    """Django's settings of a mail server, or of a provider's API (`django-anymail`); empty where there is neither."""
    needs = (
        "must look like smtp://host:25, smtp+tls://user:password@host:587 or smtp+ssl://user:password@host:465,"
        " or name a provider and its settings like postmark://?server_token=…"
    )
    value = text(name)
    if not value:
        return {}
    if urlsplit(value).scheme in ("smtp", "smtp+tls", "smtp+ssl"):
        _parsed(name, value, lambda given: _url(given, "smtp", "smtp+tls", "smtp+ssl"), needs, secret=True)
        found = dict(_env.email_url_config(value))
        return found | {"EMAIL_HOST": _parsed(name, found["EMAIL_HOST"], host_names.ascii_host, needs, secret=True)}
    return _parsed(name, value, _mail_provider, needs, secret=True)


def _mail_provider(value: str) -> dict[str, Any]:
    """`mailgun://?api_key=…&sender_domain=…`: what the provider's own chapter of django-anymail's manual asks for."""
    parts = urlsplit(value)
    provider = parts.scheme.replace("-", "_")
    given = parse_qsl(parts.query, strict_parsing=bool(parts.query))
    if parts.netloc or not provider.isidentifier() or find_spec(f"anymail.backends.{provider}") is None:
        raise ValueError
    return {
        "EMAIL_BACKEND": f"anymail.backends.{provider}.EmailBackend",
        "ANYMAIL": {f"{provider}_{key}".upper(): each for key, each in given},
    }


def folder(name: str, default: Path) -> Path:
    """A folder that can be written into, made where it is missing."""
    path = Path(text(name, str(default)))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSetting(name, f"names a folder that can't be made: {path} ({error.strerror})") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise WrongSetting(name, f"names a folder that can't be written into: {path}")
    make_private(path.resolve())
    return path


def make_private(path: Path) -> None:
    """Take a file or folder of ours away from all other accounts. One that many share (like /tmp) stays as it is."""
    found = path.lstat()
    if found.st_uid == os.geteuid() and not S_ISLNK(found.st_mode) and not found.st_mode & S_ISVTX:
        path.chmod(S_IMODE(found.st_mode) & ~0o077)


def secret(name: str, *, kept_in: Path | None) -> str:
    """A key that nobody can guess: set, or made on the first call and kept in that folder (0600); None: it must be set.

    One that is short, a known example or a pattern is refused.
    """
    needs = (
        f"must be a random text of {secret_strength.MIN_LENGTH} characters or more (`make env` writes one into .env)"
    )
    return _parsed(name, _secret(name, kept_in), secret_strength.require_strong, needs, secret=True)


def _secret(name: str, kept_in: Path | None) -> str:
    if found := text(name):
        return found
    if kept_in is None:
        raise WrongSetting(name, "must be set to a long random text (`make env` writes one into .env).")
    path = kept_in / name.lower()
    if not path.exists():
        with NamedTemporaryFile("w", dir=kept_in) as new:  # 0600; it gets its name only when it is whole
            new.write(get_random_secret_key())
            new.flush()
            os.fsync(new.fileno())
            with suppress(FileExistsError):  # another process was faster: its key is everybody's
                os.link(new.name, path)
    return path.read_text().strip()


def _optional_url(name: str, needs: str, *schemes: str) -> str:
    value = text(name)
    if value:
        _parsed(name, value, lambda given: _url(given, *schemes), needs, secret=True)
    return value


def _url(value: str, *schemes: str, host_required: bool = True) -> SplitResult:
    """Raises ValueError for another scheme, a port that is none, or no host where there must be one."""
    parts = urlsplit(value)
    if parts.scheme not in schemes or (host_required and not parts.hostname) or parts.port == 0:
        raise ValueError
    return parts


def _parsed(name: str, value: str, parse: Callable[[str], T], needs: str, *, secret: bool = False) -> T:
    try:
        return parse(value)
    except (ValueError, KeyError, OSError, NotImplementedError, ImproperlyConfigured) as error:
        raise WrongSetting(name, f"{needs}." if secret else f"{needs}, not {value!r}.") from error
