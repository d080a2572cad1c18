"""Host names as headers and addresses carry them: in ASCII, by IDNA 2008 (`straße.de` is not `strasse.de`)."""

import ipaddress
import re
from urllib.parse import urlsplit

import idna
from django.utils.encoding import iri_to_uri

_ASCII = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")


def ascii_host(host: str) -> str:
    """The host as it is sent, in small letters; an IPv6 address in brackets. Raises `ValueError` where it is none."""
    if host.isascii() and _ASCII.fullmatch(host):
        return host.lower()
    if host.isascii():
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        return f"[{address}]" if address.version == 6 else f"{address}"
    return idna.encode(host, uts46=True).decode("ascii")


def unicode_host(host: str) -> str:
    """The one spelling of a host under which it is compared: as people read it. One that is none, in small letters."""
    if host.isascii() and "xn--" not in host.lower():
        return host.lower()
    try:
        return idna.decode(idna.encode(host, uts46=True))
    except ValueError:
        return host.lower()


def ascii_address(address: str) -> str:
    """The e-mail address as headers carry it. Raises `ValueError` where it can't be one.

    What stands before the @ must be ASCII: anything else only servers with SMTPUTF8 take, the sender's, the
    receiver's and each between them.
    """
    local, at, host = address.rpartition("@")
    if not at or not local or not local.isascii():
        raise ValueError(f"The part before the @ of {address!r} is not ASCII: mail servers refuse it.")
    return f"{local}@{ascii_host(host)}"


def ascii_url(url: str) -> str:
    """The http or https address with its host, and all else, in ASCII. Raises `ValueError` where it has no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("There is no host in this address.")
    user = parts.netloc.rpartition("@")[0]
    host = ascii_host(parts.hostname) + (f":{parts.port}" if parts.port is not None else "")
    return iri_to_uri(parts._replace(netloc=f"{user}@{host}" if user else host).geturl())


def ascii_origin(origin: str) -> str:
    """`https://example.com:8443` with its host in ASCII, which may begin with `*.`. Raises `ValueError` for others."""
    found = re.fullmatch(r"(https?)://(\*\.)?([^/?#@\s]+?)(:[0-9]{1,5})?", origin)
    if found is None:
        raise ValueError("An origin is a scheme and a host.")
    return f"{found[1]}://{found[2] or ''}{ascii_host(found[3])}{found[4] or ''}"
