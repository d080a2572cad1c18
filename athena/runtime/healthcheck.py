"""Health checks for containers: `python -m athena.runtime.healthcheck web|worker|beat`.

The exit status is 0 if the process works.
"""

import os
import sys
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from athena import settings
from athena.config import environment

ALL_INTERFACES = ("0.0.0.0", "::")  # noqa: S104 (only used if HOST asks for it)


def listen_address() -> tuple[str, int]:
    """The host and port on which the web process listens."""
    return environment.text("HOST", "127.0.0.1"), environment.number("PORT", 8080, maximum=65_535)


def format_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_web_answering(path: str, timeout: float = 5) -> bool:
    """Whether this machine's web process responds with 200 to a request for the host of `BASE_URL`."""
    host, port = listen_address()
    base = urlsplit(settings.BASE_URL)
    request = Request(
        f"http://{format_address('localhost' if host in ALL_INTERFACES else host, port)}{path}",
        headers={"Host": base.netloc, "X-Forwarded-Proto": base.scheme},
    )
    try:
        with urlopen(request, timeout=timeout) as response:  # noqa: S310
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def is_ticking(name: str) -> bool:
    """Whether `beat` or `worker` has ticked recently, according to the database."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena.settings")
    django.setup()
    from athena.runtime import liveness

    age = liveness.measure_ages()[name]
    return age is not None and age <= liveness.max_silence_seconds()


if __name__ == "__main__":
    process = sys.argv[1]
    sys.exit(0 if (is_web_answering("/healthz") if process == "web" else is_ticking(process)) else 1)
