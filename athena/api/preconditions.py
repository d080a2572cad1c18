"""ETag, If-Match and If-None-Match (RFC 9110, 13.1): a client's update fails if the row has changed since it was read.

An ETag is a hash of the response to GET, so it changes with anything in that response: the row, related rows, or values
that depend on the time. Rows with a `version` have an ETag. The service that writes the row compares it while it holds
the row's lock.
"""

import json
import re
from collections.abc import Callable, Collection, Container, Mapping
from hashlib import sha256
from typing import Any

from rest_framework.exceptions import ValidationError

from athena.api.renderers import JSONRenderer

_TAGS = re.compile(r'(W/)?"([^"]*)"')
_LIST = re.compile(r'\s*(?:W/)?"[^"]*"(?:\s*,\s*(?:W/)?"[^"]*")*\s*')


def compute_etag(data: Any, keys: Collection[str]) -> str | None:
    """The ETag of a row in a response: a hash of the `keys` that GET returns. None if the row lacks some of them."""
    if "version" not in keys or not isinstance(data, Mapping) or not set(keys) <= data.keys():
        return None
    row = {name: data[name] for name in keys}
    text = json.dumps(row, cls=JSONRenderer.encoder_class, sort_keys=True)
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def parse_if_match(if_match: str | None) -> frozenset[str] | None:
    """The tags that the header allows; None if it allows any. Weak tags match nothing. Raises `ValidationError`."""
    if if_match is None or if_match.strip() == "*":
        return None
    if not _LIST.fullmatch(if_match):
        raise ValidationError({"If-Match": ["Send the ETag exactly as you got it, in quotes."]})
    return frozenset(f'"{tag}"' for weak, tag in _TAGS.findall(if_match) if not weak)


def matches_if_none_match(if_none_match: str | None, tag: str | None) -> bool:
    """Whether the client has the response with this ETag already. Unreadable entries are ignored."""
    if if_none_match is None or tag is None:
        return False
    return if_none_match.strip() == "*" or tag in {f'"{known}"' for _, known in _TAGS.findall(if_none_match)}


class UnchangedSinceRead(Container[int]):
    """The versions of a row that a request accepts: any version, as long as the row's ETag is one that the client sent.

    A service checks it while it holds the row's lock, so nobody can change the row in between.
    """

    def __init__(self, etags: frozenset[str], compute_current: Callable[[], str | None]) -> None:
        self._etags, self._compute_current = etags, compute_current

    def __contains__(self, version: object) -> bool:
        return self._compute_current() in self._etags
