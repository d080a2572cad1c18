"""Amounts as people write them into cells: in the company's currency, rounded to cents."""

import re
from decimal import ROUND_HALF_UP, Decimal

from athena.limits import MAX_AMOUNT
from sales.exchange import currency
from sales.exchange.cells import notation, parsing

_WITH_CURRENCY = re.compile(r"\s*(?:US\$|\$|USD)?\s*(?P<number>[^\sA-Za-z$].*?)\s*(?:US\$|\$|USD)?\s*", re.IGNORECASE)
_NUMBER = {
    notation.DECIMAL_POINT: re.compile(
        r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,3}(?:[ '’][0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,13}(?:\.[0-9]+)?"
    ),
    notation.DECIMAL_COMMA: re.compile(
        r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:[ '’][0-9]{3})+(?:,[0-9]+)?|[0-9]{1,13}(?:,[0-9]+)?"
    ),
}
_EXPECTED = "An amount is required, such as 1200 or 1,200.50."
_CENT = Decimal("0.01")


def amount_reader(field: str) -> parsing.CellReader:
    """Return a reader for the column of this field. It returns an amount as text with at most two decimals."""

    def read(text: str, lookups: parsing.Lookups) -> str:
        return str(parse_amount(text, lookups.notations.get(field, notation.DEFAULT_AMOUNTS)))

    return read


def parse_amount(text: str, written: str = notation.DEFAULT_AMOUNTS) -> Decimal:
    """Return the amount in a cell that `cleaning` has cleaned, rounded to cents. `written` is a notation of amounts.

    Raises `ValueError` if it is not an amount, below zero, too large, or in another currency.
    """
    number = _parse_number(text, written)
    if number > MAX_AMOUNT:
        raise ValueError(f"At most {MAX_AMOUNT:,} is possible.")
    return number


def _parse_number(text: str, written: str) -> Decimal:
    text = " ".join(text.split())
    if re.fullmatch(r"(?:US\$|\$|USD)\s*[-–—]+", text):  # how accountants write zero
        return Decimal(0)
    match = _WITH_CURRENCY.fullmatch(text)
    digits = match["number"] if match else text
    _check_currency(digits)
    if re.fullmatch(r"\(.*\d.*\)|[-−–]\s*[$]?\s*\d.*|.*\d\s*[-−]", digits) or digits.startswith("$-"):
        raise ValueError("An amount can't be below zero.")
    if not digits.isascii():
        digits = digits.replace("’", "'")
    if written == notation.UNDECIDED and re.search(r"[.,]", digits):
        raise ValueError("Is a point or a comma before the cents in this column? Choose on the import's page.")
    pattern = _NUMBER[notation.DECIMAL_COMMA if written == notation.DECIMAL_COMMA else notation.DECIMAL_POINT]
    if not (digits.isascii() and pattern.fullmatch(digits)):
        raise ValueError(_EXPECTED)
    mark = "," if written == notation.DECIMAL_COMMA else "."
    if re.fullmatch(rf"[0-9]{{1,3}}[{mark}][0-9]{{3}}", digits):
        raise ValueError(f"Is this {digits.replace(mark, '')} or {digits[:-1].replace(mark, '.')}? {_EXPECTED}")
    if written == notation.DECIMAL_COMMA:
        digits = digits.replace(".", "").replace(",", ".")
    number = Decimal(re.sub(r"[,' ]", "", digits))
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -2 else number.quantize(_CENT, ROUND_HALF_UP)


def _check_currency(text: str) -> None:
    other = currency.find_other_currency(text)
    if other:
        raise ValueError(f"Amounts are in {currency.COMPANY_CURRENCY}; this one is in {other}. Convert it first.")
