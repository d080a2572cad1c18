"""Health checks for containers: `python -m athena.runtime.healthcheck web|worker|beat`.

The exit status is 0 if that process works.
"""

import os
import sys
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from athena import settings
from athena.config import environment

EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104 (only listened on when asked for)


def listen_address() -> tuple[str, int]:
    """Where the web process listens."""
    return environment.text("HOST", "127.0.0.1"), environment.number("PORT", 8080, most=65_535)


def format_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_web_answering(path: str, timeout: float = 5) -> bool:
    """Whether this machine's web process answers 200, asked under the name that Athena is called by."""
    host, port = listen_address()
    base = urlsplit(settings.BASE_URL)
    request = Request(
        f"http://{format_address('localhost' if host in EVERY_INTERFACE else host, port)}{path}",
        headers={"Host": base.netloc, "X-Forwarded-Proto": base.scheme},
    )
    try:
        with urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def is_ticking(name: str) -> bool:
    """Whether beat (or the worker) has ticked lately, by what it has written into the database."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena.settings")
    django.setup()
    from athena.runtime import liveness

    age = liveness.measure_ages()[name]
    return age is not None and age <= liveness.max_silence_seconds()


if __name__ == "__main__":
    part = sys.argv[1]
    sys.exit(0 if (is_web_answering("/healthz") if part == "web" else is_ticking(part)) else 1)
