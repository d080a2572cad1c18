"""Refuses secrets that are easy to guess."""

import re
from itertools import pairwise

MIN_LENGTH = 32
MIN_PAIRS, MIN_STEPS = 20, 12  # different pairs of neighboring characters, and different distances between them

_KNOWN = re.compile(r"change.?(me|this)|secret|password|example|insecure|default|your.?key|qwerty|asdf|letmein", re.I)


def require_strong(secret: str) -> str:
    """The secret. Raises `ValueError` if it is short, a known example, a repeated text or a run like `abcdef`."""
    pairs = set(pairwise(secret))
    steps = {ord(after) - ord(before) for before, after in pairs}
    if len(secret) < MIN_LENGTH or len(pairs) < MIN_PAIRS or len(steps) < MIN_STEPS or _KNOWN.search(secret):
        raise ValueError
    return secret
