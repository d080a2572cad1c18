"""Converts host names to ASCII for headers and URLs, by IDNA 2008 (`straße.de` is not `strasse.de`)."""

import ipaddress
import re
from urllib.parse import urlsplit

import idna
from django.utils.encoding import iri_to_uri

_ASCII = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")


def ascii_host(host: str) -> str:
    """The host in ASCII and lower case; an IPv6 address in brackets. Raises `ValueError` if it is not a host."""
    if host.isascii() and _ASCII.fullmatch(host):
        return host.lower()
    if host.isascii():
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        return f"[{address}]" if address.version == 6 else f"{address}"
    return idna.encode(host, uts46=True).decode("ascii")


def unicode_host(host: str) -> str:
    """The spelling of a host for comparisons: in Unicode. A text that is not a host is only lower-cased."""
    if host.isascii() and "xn--" not in host.lower():
        return host.lower()
    try:
        return idna.decode(idna.encode(host, uts46=True))
    except ValueError:
        return host.lower()


def ascii_address(address: str) -> str:
    """The email address in ASCII. Raises `ValueError` if that is impossible.

    The part before the @ must be ASCII: other characters work only if every mail server on the way supports SMTPUTF8.
    """
    local, at, host = address.rpartition("@")
    if not at or not local or not local.isascii():
        raise ValueError(f"The part before the @ of {address!r} is not ASCII: mail servers refuse it.")
    return f"{local}@{ascii_host(host)}"


def ascii_url(url: str) -> str:
    """The URL in ASCII. Raises `ValueError` if it has no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("There is no host in this address.")
    user = parts.netloc.rpartition("@")[0]
    host = ascii_host(parts.hostname) + (f":{parts.port}" if parts.port is not None else "")
    return iri_to_uri(parts._replace(netloc=f"{user}@{host}" if user else host).geturl())


def ascii_origin(origin: str) -> str:
    """An origin such as `https://example.com:8443` in ASCII. Its host may start with `*.`. Raises `ValueError`."""
    match = re.fullmatch(r"(https?)://(\*\.)?([^/?#@\s]+?)(:[0-9]{1,5})?", origin)
    if match is None:
        raise ValueError("An origin is a scheme and a host.")
    return f"{match[1]}://{match[2] or ''}{ascii_host(match[3])}{match[4] or ''}"
