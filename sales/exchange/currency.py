"""Currencies as cells, number formats and columns name them. Athena keeps all amounts in the company's currency."""

import re

COMPANY_CURRENCY = "USD"
COMPANY_SIGNS = ("US$", "$", "USD")
_CODES = "EUR|GBP|CAD|AUD|NZD|CHF|JPY|CNY|MXN|BRL|INR|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|ILS|ZAR|SGD|HKD|KRW|TRY|AED"
_ANY_CURRENCY = re.compile(
    rf"[A-Z]{{0,3}}[$]|\b(?:{_CODES})\b|[\u20a0-\u20cf£¥¢]|(?<=[0-9 ])(?:kr|zł|Fr)\b", re.IGNORECASE
)
_COMPANY_NAMES = {"usd", "us$", "$", "us dollar", "us dollars", "u.s. dollar", "usd - u.s. dollar", "dollar", "dollars"}
_FORMAT_SIGN = re.compile(r"\[\$([^\]-]+)(?:-[^\]]*)?\]")
_QUOTED = re.compile(r'"([^"]*)"')


def find_other_currency(text: str) -> str:
    """Return the sign or code of a currency in `text` that is not the company's, or "" if there is none."""
    match = _ANY_CURRENCY.search(text)
    return match[0] if match and match[0].upper() not in COMPANY_SIGNS else ""


def is_company_currency(name: str) -> bool:
    """Whether a cell of a currency column names the company's currency."""
    return name.strip().casefold() in _COMPANY_NAMES


def find_format_currency(number_format: str) -> str:
    """Return the sign of another currency that an Excel number format shows, or "" if there is none."""
    positive = number_format.partition(";")[0]
    bracketed = _FORMAT_SIGN.search(positive)
    if bracketed:
        sign = bracketed[1].strip()
        return "" if sign.upper() in COMPANY_SIGNS else sign
    quoted = " ".join(_QUOTED.findall(positive))
    return find_other_currency(quoted) or find_other_currency(_QUOTED.sub("", positive).replace("$", ""))
