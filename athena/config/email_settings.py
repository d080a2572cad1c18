"""Reads how emails are sent from one setting, a URL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import parse_qsl, urlsplit

import environ

from athena import host_names
from athena.config import environment

_SMTP_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl")


@dataclass(frozen=True)
class EmailSettings:
    """How emails are sent: Django's EMAIL_… settings, and those of a provider for `django-anymail`."""

    backend: str
    host: str = "localhost"
    port: int | None = 25  # None: the usual port of the protocol
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    provider_settings: Mapping[str, str] = field(default_factory=dict)


def read_email_settings(name: str, *, default_backend: str) -> EmailSettings:
    """An SMTP server, or a provider's API (`django-anymail`); `default_backend` if the setting is empty."""
    needs = (
        "must look like smtp://host:25, smtp+tls://user:password@host:587 or smtp+ssl://user:password@host:465,"
        " or name a provider and its settings like postmark://?server_token=…"
    )
    value = environment.text(name)
    if not value:
        return EmailSettings(default_backend)
    parse = _parse_smtp_url if urlsplit(value).scheme in _SMTP_SCHEMES else _parse_provider_url
    return environment.parse_setting(name, value, parse, needs, secret=True)


def _parse_smtp_url(value: str) -> EmailSettings:
    environment.split_url(value, *_SMTP_SCHEMES)
    config = environ.Env.email_url_config(value)
    return EmailSettings(
        backend=config["EMAIL_BACKEND"],
        host=host_names.ascii_host(config["EMAIL_HOST"]),
        port=config["EMAIL_PORT"],
        user=config["EMAIL_HOST_USER"] or "",
        password=config["EMAIL_HOST_PASSWORD"] or "",
        use_tls=config.get("EMAIL_USE_TLS", False),
        use_ssl=config.get("EMAIL_USE_SSL", False),
    )


def _parse_provider_url(value: str) -> EmailSettings:
    """`mailgun://?api_key=…&sender_domain=…`: the settings that django-anymail's manual names for the provider."""
    parts = urlsplit(value)
    provider = parts.scheme.replace("-", "_")
    parameters = parse_qsl(parts.query, strict_parsing=bool(parts.query))
    if parts.netloc or not provider.isidentifier() or find_spec(f"anymail.backends.{provider}") is None:
        raise ValueError
    return EmailSettings(
        backend=f"anymail.backends.{provider}.EmailBackend",
        provider_settings={f"{provider}_{key}".upper(): setting for key, setting in parameters},
    )
