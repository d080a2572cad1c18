"""The one spelling under which names, e-mail addresses and telephone numbers are compared and searched.

What was typed is kept as it is.
"""

import re
import unicodedata

import phonenumbers
from django.conf import settings

from athena.accounts.models import fold_email
from athena.db import name_key

__all__ = [
    "build_search_text",
    "collapse_spaces",
    "extract_digits",
    "fold_text",
    "list_search_variants",
    "name_key",
    "normalize_company",
    "normalize_email",
    "normalize_phone",
]

EMAIL_LENGTH = 254
_NOT_DECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "’": "'", "‘": "'", "–": "-"})
_LIKE_A_PHONE = re.compile(r"[+(]*[0-9][0-9()+./-]*")
# All digits the same, the last seven zero, or up or down in order.
_PLACEHOLDER = re.compile(r"(\d)\1{6,}|\d*0{7}|0?12345678?9?0?|9876543210?")
_NO_WORD = re.compile(r"[^\w]+")
_LEGAL_FORMS = {"the", "inc", "incorporated", "llc", "ltd", "limited", "corp", "corporation", "co", "company", "and"}


def normalize_email(text: str) -> str:
    """The address in its one spelling (`fold_email`). (NULL in a column means: not worked out yet.)"""
    return fold_email(text)[:EMAIL_LENGTH]


def normalize_phone(text: str) -> str:
    """The number in E.164, read as one of `PHONE_REGION` unless it says otherwise; empty where it is no number.

    A number that people type because a form wants one (000-000-0000, 123-456-7890) identifies nobody: it is none. An
    extension is left out: two desks of one company are the same company.
    """
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number) or _is_placeholder(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def collapse_spaces(name: str) -> str:
    """The name with one space between its words and none around them."""
    return " ".join(name.split())


def _is_placeholder(number: phonenumbers.PhoneNumber) -> bool:
    return bool(_PLACEHOLDER.fullmatch(phonenumbers.national_significant_number(number)))


def fold_text(text: str) -> str:
    """Text without case and accents (NFKD, without combining marks), with single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(plain.translate(_NOT_DECOMPOSED).casefold().split())


def extract_digits(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each.isdigit())


def build_search_text(*texts: str, numbers: tuple[str, ...]) -> str:
    """What a search looks in: the texts, folded, and the digits of the numbers."""
    return " ".join(filter(None, (*map(fold_text, texts), *dict.fromkeys(map(extract_digits, numbers)))))


def list_search_variants(word: str) -> list[str]:
    """What a typed word may stand for in `searchable` text: itself, or the digits of a number."""
    found = [fold_text(word)]
    if _LIKE_A_PHONE.fullmatch(word):
        found.append(extract_digits(word))
    return list(dict.fromkeys(filter(None, found))) or [word]


def normalize_company(text: str) -> str:
    """A company's name without its legal form and punctuation; empty where nothing else is left."""
    words = _NO_WORD.sub(" ", fold_text(text).replace("'", "")).split()
    return " ".join(word for word in words if word not in _LEGAL_FORMS)[:200]
