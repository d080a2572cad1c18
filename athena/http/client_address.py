"""Which address a request came from, and by which scheme, as far as proxies are to be believed."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"  # a Unix socket, or a proxy that hides it


def client_address(request: HttpRequest) -> str:
    """The client's address as the last proxy that we trust saw it: an IPv4 address, or an IPv6 network of 64 bits.

    Each of the `TRUSTED_HOPS` proxies in front of Athena adds an entry to X-Forwarded-For; what stands further left
    may be the client's invention. One person has a whole /64 of IPv6.
    """
    hops = settings.TRUSTED_HOPS
    forwarded = _entries(request, "HTTP_X_FORWARDED_FOR")
    named = forwarded[-hops] if 0 < hops <= len(forwarded) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(named)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def forwarded_scheme(request: HttpRequest) -> str:
    """What the outermost proxy that we trust says of the scheme, in lower case; empty where none is to be believed."""
    entries = _entries(request, "HTTP_X_FORWARDED_PROTO")[-settings.TRUSTED_HOPS :] if settings.TRUSTED_HOPS else []
    return entries[0].lower() if entries else ""


def _entries(request: HttpRequest, name: str) -> list[str]:
    return [part.strip() for part in request.META.get(name, "").split(",") if part.strip()]
