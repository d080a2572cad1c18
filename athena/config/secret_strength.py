"""Whether a secret is one that nobody can guess, as far as that can be seen."""

import re
from itertools import pairwise

MIN_LENGTH = 32
MIN_PAIRS, MIN_STEPS = 20, 12  # of neighbouring characters: how many different pairs, and distances between them

_KNOWN = re.compile(r"change.?(me|this)|secret|password|example|insecure|default|your.?key|qwerty|asdf|letmein", re.I)


def require_strong(secret: str) -> str:
    """The secret. Raises `ValueError` where it is short, a known example, one text again and again, or an alphabet."""
    pairs = set(pairwise(secret))
    steps = {ord(after) - ord(before) for before, after in pairs}
    if len(secret) < MIN_LENGTH or len(pairs) < MIN_PAIRS or len(steps) < MIN_STEPS or _KNOWN.search(secret):
        raise ValueError
    return secret
