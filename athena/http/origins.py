"""Addresses of other sites, as they may stand in headers: nothing in one can end or add to a header's value."""

import re
from urllib.parse import quote, urlsplit, urlunsplit

from athena import host_names

_SAFE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&()*+=%-]+")  # what RFC 3986 allows, but for quotes, commas and semicolons
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*")
_ADDRESS = re.compile(r"\[[0-9a-f:.]+\]")
_PORTS = {"http": 80, "https": 443}


def parse_origin(text: str) -> str:
    """`https://www.example.com`, as browsers write it: lower case, ASCII (IDNA), no usual port.

    Raises `ValueError` for anything else, such as an address with a path or a user's name.
    """
    origin, rest = _split(text)
    if rest:
        raise ValueError("An origin has no path.")
    return origin


def parse_page_url(text: str) -> str:
    """The address of a page on the web in ASCII: its host by IDNA, the rest percent-encoded. Raises `ValueError`."""
    origin, rest = _split(text)
    return origin + rest


def origin_or_empty(text: str) -> str:
    """The origin of an address; empty where it has none that is sound."""
    try:
        return _split(text)[0]
    except ValueError:
        return ""


def page_url_or_empty(text: str) -> str:
    """The address as `read_page` has it; empty where it is not sound."""
    try:
        return parse_page_url(text)
    except ValueError:
        return ""


def _split(text: str) -> tuple[str, str]:
    """The origin of an address, and what follows. Raises `ValueError`."""
    parts = urlsplit(text)
    host, port = (parts.hostname or "").rstrip("."), parts.port
    if parts.scheme not in _PORTS or "@" in parts.netloc or "\\" in text or text.split() != [text]:
        raise ValueError("This is no address of a page.")
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = host_names.ascii_host(host)
    rest = "".join(
        c if c.isascii() else quote(c) for c in urlunsplit(("", "", parts.path, parts.query, parts.fragment))
    )
    if not (_NAME.fullmatch(host) or _ADDRESS.fullmatch(host)) or not _SAFE.fullmatch(f"x{rest}") or port == 0:
        raise ValueError("This is no address of a page.")
    usual = port in (None, _PORTS[parts.scheme])
    return f"{parts.scheme}://{host}{'' if usual else f':{port}'}", rest
