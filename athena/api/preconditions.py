"""ETag, If-Match and If-None-Match: a client that changes what it has read learns when it has changed (RFC 9110, 13.1).

A tag is a hash of the answer that GET gives, so it changes whenever anything in that answer does: the row, the rows
that the answer names, or what the time makes of them. Rows with a `version` have one. Whether it still holds is asked
under the row's lock, by the service that writes it.
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


def compute_etag(answer: Any, keys: Collection[str]) -> str | None:
    """The ETag of the row that an answer holds: of its `keys`, those that GET answers. None where it lacks some."""
    if "version" not in keys or not isinstance(answer, Mapping) or not set(keys) <= answer.keys():
        return None
    shown = {name: answer[name] for name in keys}
    text = json.dumps(shown, cls=JSONRenderer.encoder_class, sort_keys=True)
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def parse_if_match(if_match: str | None) -> frozenset[str] | None:
    """The tags that the header allows; None where it allows any. Raises `ValidationError`. Weak tags match nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    if not _LIST.fullmatch(if_match):
        raise ValidationError({"If-Match": ["Give the ETag as it came, in quotes."]})
    return frozenset(f'"{tag}"' for weak, tag in _TAGS.findall(if_match) if not weak)


def matches_if_none_match(if_none_match: str | None, tag: str | None) -> bool:
    """Whether the header says that the client has the answer with this tag. What can't be read is passed over."""
    if if_none_match is None or tag is None:
        return False
    return if_none_match.strip() == "*" or tag in {f'"{known}"' for _, known in _TAGS.findall(if_none_match)}


class UnchangedSinceRead(Container[int]):
    """The versions of a row that a request is about: whichever it has, while GET still answers as the client has read.

    A service asks it under the row's lock, so nobody changes the answer in between.
    """

    def __init__(self, tags: frozenset[str], tag_now: Callable[[], str | None]) -> None:
        self._tags, self._tag_now = tags, tag_now

    def __contains__(self, version: object) -> bool:
        return self._tag_now() in self._tags
