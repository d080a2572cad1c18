"""Parses addresses of other sites so that they are safe in headers: none can end or extend a header's value."""

import re
from urllib.parse import quote, urlsplit, urlunsplit

from athena import host_names

_SAFE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&()*+=%-]+")  # what RFC 3986 allows, without quotes, commas and semicolons
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*")
_ADDRESS = re.compile(r"\[[0-9a-f:.]+\]")
_PORTS = {"http": 80, "https": 443}


def parse_origin(text: str) -> str:
    """`https://www.example.com`, as browsers write it: lower case, ASCII (IDNA), without a default port.

    Raises `ValueError` for anything else, such as an address with a path or a user name.
    """
    origin, rest = _split(text)
    if rest:
        raise ValueError("An origin has no path.")
    return origin


def parse_page_url(text: str) -> str:
    """The URL of a web page in ASCII: the host encoded by IDNA, the rest percent-encoded. Raises `ValueError`."""
    origin, rest = _split(text)
    return origin + rest


def origin_or_empty(text: str) -> str:
    """The origin of an address, or an empty text if the address is not valid."""
    try:
        return _split(text)[0]
    except ValueError:
        return ""


def page_url_or_empty(text: str) -> str:
    """The address as `parse_page_url` returns it, or an empty text if it is not valid."""
    try:
        return parse_page_url(text)
    except ValueError:
        return ""


def _split(text: str) -> tuple[str, str]:
    """Split an address into its origin and the rest. Raises `ValueError`."""
    parts = urlsplit(text)
    host, port = (parts.hostname or "").rstrip("."), parts.port
    if parts.scheme not in _PORTS or "@" in parts.netloc or "\\" in text or text.split() != [text]:
        raise ValueError("This is not the address of a web page.")
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = host_names.ascii_host(host)
    rest = "".join(
        c if c.isascii() else quote(c) for c in urlunsplit(("", "", parts.path, parts.query, parts.fragment))
    )
    if not (_NAME.fullmatch(host) or _ADDRESS.fullmatch(host)) or not _SAFE.fullmatch(f"x{rest}") or port == 0:
        raise ValueError("This is not the address of a web page.")
    is_default_port = port in (None, _PORTS[parts.scheme])
    return f"{parts.scheme}://{host}{'' if is_default_port else f':{port}'}", rest
