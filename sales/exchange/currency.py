"""Currencies as cells, their formats and headers name them. All amounts are in the company's."""

import re

OURS = "USD"
SIGNS = ("US$", "$", "USD")
_CODES = "EUR|GBP|CAD|AUD|NZD|CHF|JPY|CNY|MXN|BRL|INR|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|ILS|ZAR|SGD|HKD|KRW|TRY|AED"
OTHER = re.compile(rf"[A-Z]{{0,3}}[$]|\b(?:{_CODES})\b|[\u20a0-\u20cf£¥¢]|(?<=[0-9 ])(?:kr|zł|Fr)\b", re.IGNORECASE)
_OUR_NAMES = {"usd", "us$", "$", "us dollar", "us dollars", "u.s. dollar", "usd - u.s. dollar", "dollar", "dollars"}
_SIGN_OF_FORMAT = re.compile(r"\[\$([^\]-]+)(?:-[^\]]*)?\]")
_QUOTED = re.compile(r'"([^"]*)"')


def other_in(text: str) -> str:
    """The sign or code of another currency than ours that stands in the text; empty where there is none."""
    found = OTHER.search(text)
    return found[0] if found and found[0].upper() not in SIGNS else ""


def is_ours(name: str) -> bool:
    """Whether a column of currencies names ours."""
    return name.strip().casefold() in _OUR_NAMES


def of_format(number_format: str) -> str:
    """The sign with which a cell of this number format is shown, where it is another currency's."""
    positive = number_format.partition(";")[0]
    bracketed = _SIGN_OF_FORMAT.search(positive)
    if bracketed:
        sign = bracketed[1].strip()
        return "" if sign.upper() in SIGNS else sign
    quoted = " ".join(_QUOTED.findall(positive))
    return other_in(quoted) or other_in(_QUOTED.sub("", positive).replace("$", ""))
