"""Removes links from text that outsiders typed, so that no email program turns it into something to click."""

import re
from collections.abc import Mapping
from typing import Any

# Keys of a context whose text colleagues wrote: it stays as it is. Text under any other key counts as an outsider's.
COLLEAGUE_KEYS = frozenset({"notes", "reason", "error"})
# Characters that programs drop from an address: formatting characters, fillers, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_DOTS = ".\u2024\u3002\ufe52\uff0e\uff61"  # all of them separate the parts of a host (UTS 46)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=\S)")
_DOT = re.compile(rf"(?<=[^\s{_DOTS}])[{_DOTS}](?=[^\W\d_]|\d+[{_DOTS}]\d)")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:/\"']+@[^\s@<>()\[\]\\,;:/\"']+")


def remove_links(text: str) -> str:
    """Write `https://example.com` as `https[:]//example[.]com` and drop invisible characters."""
    text = _INVISIBLE.sub("", text)
    return _DOT.sub("[.]", _SCHEME.sub(r"\1[:]", text))


def remove_links_from_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context without links in the text of outsiders. The value of `email` stays if it is an address."""
    return {name: _remove_links_from(name, value) for name, value in context.items()}


def _remove_links_from(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return remove_links_from_context(value)
    if isinstance(value, list | tuple):
        return [_remove_links_from(name, item) for item in value]
    if not isinstance(value, str) or name in COLLEAGUE_KEYS or (name == "email" and _ADDRESS.fullmatch(value)):
        return value
    return remove_links(value)
