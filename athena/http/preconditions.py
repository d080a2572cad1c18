"""ETag and If-Match: a client that changes what it has read learns when somebody else was quicker (RFC 9110, 13.1).

A tag is the row's version, so only rows with a `version` have one. Whether it still holds is asked under the row's
lock, by the service that writes it.
"""

import re
from typing import Any

from rest_framework.exceptions import ValidationError

_TAGS = re.compile(r'(W/)?"([^"]*)"')
_LIST = re.compile(r'\s*(?:W/)?"[^"]*"(?:\s*,\s*(?:W/)?"[^"]*")*\s*')


def tag_of(row: Any) -> str | None:
    """The ETag of an answer: of one row that has a version, else None."""
    version = row.get("version") if isinstance(row, dict) else None
    return None if version is None else f'"{version}"'


def versions_in(if_match: str | None) -> frozenset[int] | None:
    """The versions that the header allows; None where it allows any. Raises `ValidationError`.

    Weak tags and tags that were never ours match nothing.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if not _LIST.fullmatch(if_match):
        raise ValidationError({"If-Match": ['Give the ETag as it came, in quotes: "7".']})
    strong = (tag for weak, tag in _TAGS.findall(if_match) if not weak)
    return frozenset(int(tag) for tag in strong if tag.isascii() and tag.isdigit() and len(tag) < 20)
