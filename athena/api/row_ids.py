"""Parses the ids of rows in addresses and forms."""

from django.http import Http404

from athena.api.fields import MAX_ID

_DIGITS = len(str(MAX_ID))


def parse_id(text: str) -> int | None:
    """The id in `text` (ASCII digits); None if no row can have it."""
    if len(text) > _DIGITS or not (text.isascii() and text.isdigit()):
        return None
    key = int(text)
    return key if 1 <= key <= MAX_ID else None


def parse_id_or_404(text: str) -> int:
    """The id in `text`. Raises `Http404` if no row can have it."""
    key = parse_id(text)
    if key is None:
        raise Http404
    return key
