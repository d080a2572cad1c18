"""Amounts as people write them into cells: in the company's currency, rounded to cents."""

import re
from decimal import ROUND_HALF_UP, Decimal

from athena.api import fields
from sales.exchange import currency
from sales.exchange.cells import notation, parsing

_AROUND = re.compile(r"\s*(?:US\$|\$|USD)?\s*(?P<number>[^\sA-Za-z$].*?)\s*(?:US\$|\$|USD)?\s*", re.IGNORECASE)
_FORM = {
    notation.POINT: re.compile(
        r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,3}(?:[ '’][0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,13}(?:\.[0-9]+)?"
    ),
    notation.COMMA: re.compile(
        r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:[ '’][0-9]{3})+(?:,[0-9]+)?|[0-9]{1,13}(?:,[0-9]+)?"
    ),
}
_WANTED = "An amount is required, such as 1200 or 1,200.50."
_CENT = Decimal("0.01")


def reader(name: str) -> parsing.Reader:
    """Reads the amounts of the column of this field, as text with at most two decimals."""

    def read(text: str, lookups: parsing.Lookups) -> str:
        return str(amount(text, lookups.notations.get(name, notation.HOUSE_AMOUNTS)))

    return read


def amount(text: str, written: str = notation.HOUSE_AMOUNTS) -> Decimal:
    """The amount in a cell as `cleaning` leaves it, in cents. `written` is a `notation`. Raises `ValueError`."""
    number = _number(text, written)
    if number > fields.MAX_AMOUNT:
        raise ValueError(f"At most {fields.MAX_AMOUNT:,} is possible.")
    return number


def _number(text: str, written: str) -> Decimal:
    text = " ".join(text.split())
    if re.fullmatch(r"(?:US\$|\$|USD)\s*[-–—]+", text):  # as accountants write nothing
        return Decimal(0)
    around = _AROUND.fullmatch(text)
    bare = around["number"] if around else text
    _require_currency(bare)
    if re.fullmatch(r"\(.*\d.*\)|[-−–]\s*[$]?\s*\d.*|.*\d\s*[-−]", bare) or bare.startswith("$-"):
        raise ValueError("An amount can't be below zero.")
    if not bare.isascii():
        bare = bare.replace("’", "'")
    if written == notation.DOUBTED and re.search(r"[.,]", bare):
        raise ValueError("Is a point or a comma before the cents in this column? Say so on the import's page.")
    form = _FORM[notation.COMMA if written == notation.COMMA else notation.POINT]
    if not (bare.isascii() and form.fullmatch(bare)):
        raise ValueError(_WANTED)
    mark = "," if written == notation.COMMA else "."
    if re.fullmatch(rf"[0-9]{{1,3}}[{mark}][0-9]{{3}}", bare):
        raise ValueError(f"Is this {bare.replace(mark, '')} or {bare[:-1].replace(mark, '.')}? {_WANTED}")
    if written == notation.COMMA:
        bare = bare.replace(".", "").replace(",", ".")
    number = Decimal(re.sub(r"[,' ]", "", bare))
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -2 else number.quantize(_CENT, ROUND_HALF_UP)


def _require_currency(text: str) -> None:
    other = currency.other_in(text)
    if other:
        raise ValueError(f"Amounts are in {currency.OURS}; this one is in {other}. Convert it first.")
