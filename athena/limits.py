"""The largest values that forms, the API, files and tables accept: one set of limits for all of them."""

from decimal import Decimal

MAX_COUNT = 100_000
MAX_AMOUNT = Decimal("9999999999.99")  # of money
MAX_TEXT_LENGTH = 10_000  # characters of text with several lines
