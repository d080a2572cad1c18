"""How reports round amounts, percentages and other numbers."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def round_to_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def compute_percentage(part: int, whole: int) -> float | None:
    """How many percent of `whole` are `part`, with two decimals; None if `whole` is 0."""
    return round(part / whole * 100, 2) if whole else None


def round_number(number: Decimal | float | None, digits: int = 2) -> float | None:
    """The number as a float with `digits` decimals; None stays None."""
    return None if number is None else round(float(number), digits)
