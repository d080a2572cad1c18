"""The ids of rows, as addresses and forms give them."""

from django.http import Http404

from athena.api.fields import MAX_ID

_DIGITS = len(str(MAX_ID))


def parse_id(text: str) -> int | None:
    """The id that `text` says in ASCII digits; None for what no row can have as its id."""
    if len(text) > _DIGITS or not (text.isascii() and text.isdigit()):
        return None
    key = int(text)
    return key if 1 <= key <= MAX_ID else None


def parse_id_or_404(text: str) -> int:
    """As `parse_key`. Raises `Http404` for what no row can have as its id."""
    key = parse_id(text)
    if key is None:
        raise Http404
    return key
