"""How names, email addresses and phone numbers are spelled for comparing and searching.

The columns that people see keep the text as it was typed.
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
_NOT_IN_WORDS = re.compile(r"[^\w]+")
_LEGAL_FORMS = {"the", "inc", "incorporated", "llc", "ltd", "limited", "corp", "corporation", "co", "company", "and"}


def normalize_email(text: str) -> str:
    """The address as it is compared (`fold_email`). NULL in a column means that it is not filled in yet."""
    return fold_email(text)[:EMAIL_LENGTH]


def normalize_phone(text: str) -> str:
    """The phone number in E.164, or the empty string if the text is not a phone number.

    A number without a country code belongs to the setting `PHONE_REGION`. Numbers that people type because a form
    requires one (000-000-0000, 123-456-7890) count as none. Extensions are dropped: two desks of one company match.
    """
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number) or _is_placeholder(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def collapse_spaces(name: str) -> str:
    """The name with single spaces between its words and none around them."""
    return " ".join(name.split())


def _is_placeholder(number: phonenumbers.PhoneNumber) -> bool:
    """Whether the number is one that people make up, such as 000-000-0000."""
    return bool(_PLACEHOLDER.fullmatch(phonenumbers.national_significant_number(number)))


def fold_text(text: str) -> str:
    """The text without case and accents (NFKD without combining marks), with single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain.translate(_NOT_DECOMPOSED).casefold().split())


def extract_digits(text: str) -> str:
    """The ASCII digits of the text, in order."""
    return "".join(char for char in text if char.isascii() and char.isdigit())


def build_search_text(*texts: str, numbers: tuple[str, ...]) -> str:
    """The text that a search looks in: the folded `texts` and the digits of `numbers`."""
    return " ".join(filter(None, (*map(fold_text, texts), *dict.fromkeys(map(extract_digits, numbers)))))


def list_search_variants(word: str) -> list[str]:
    """The ways in which a typed word may occur in the search text: folded, or as the digits of a phone number."""
    variants = [fold_text(word)]
    if _LIKE_A_PHONE.fullmatch(word):
        variants.append(extract_digits(word))
    return list(dict.fromkeys(filter(None, variants))) or [word]


def normalize_company(text: str) -> str:
    """The company's name, folded, without legal form and punctuation; empty if nothing else is left."""
    words = _NOT_IN_WORDS.sub(" ", fold_text(text).replace("'", "")).split()
    return " ".join(word for word in words if word not in _LEGAL_FORMS)[:200]
