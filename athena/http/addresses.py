"""Which address a request came from."""

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
    header = request.META.get("HTTP_X_FORWARDED_FOR", "")
    forwarded = [part.strip() for part in header.split(",") if part.strip()]
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
