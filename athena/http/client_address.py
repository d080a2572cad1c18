"""The client's address and the scheme of a request, as the trusted proxies report them."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"  # a Unix socket, or a proxy that hides the address


def client_address(request: HttpRequest) -> str:
    """The client's address as the outermost trusted proxy saw it: an IPv4 address, or a /64 network of IPv6.

    Each of the `TRUSTED_HOPS` proxies in front of Athena adds an entry to X-Forwarded-For. Entries further left are not
    trusted, since clients can send them. An IPv6 client usually has a whole /64, so its network counts as one address.
    """
    hops = settings.TRUSTED_HOPS
    forwarded = _entries(request, "HTTP_X_FORWARDED_FOR")
    address_text = forwarded[-hops] if 0 < hops <= len(forwarded) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(address_text)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def forwarded_scheme(request: HttpRequest) -> str:
    """The scheme that the outermost trusted proxy reports, in lower case; empty without a trusted proxy."""
    entries = _entries(request, "HTTP_X_FORWARDED_PROTO")[-settings.TRUSTED_HOPS :] if settings.TRUSTED_HOPS else []
    return entries[0].lower() if entries else ""


def _entries(request: HttpRequest, name: str) -> list[str]:
    return [part.strip() for part in request.META.get(name, "").split(",") if part.strip()]
