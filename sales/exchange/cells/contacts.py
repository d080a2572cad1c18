"""Reading cells with one or more email addresses or phone numbers: the first is the lead's, the others are kept."""

import re
from dataclasses import dataclass

from athena.api import fields
from sales import normalization
from sales.exchange.cells import parsing

# Each pattern can only begin after a separator, so that its time grows with the text and not with its square.
_EMAIL = re.compile(r"(?<![^\s<>;,|/\"()\[\]])[^\s<>;,|/\"()\[\]@]+@[^\s<>;,|/\"()\[\]]+")
_NAMED_EMAIL = re.compile(r"(?:\"[^\"]*\"\s*|[^<>@\";]*)<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>\s*", re.IGNORECASE)
_NAME_WITHOUT_EMAIL = re.compile(r"(?<![^<>;,])[^<>;,]*<\s*>")
_ONLY_SEPARATORS = re.compile(r"(?:[\s;,|/&]|\bor\b|\band\b)*", re.IGNORECASE)
_PHONE_SEPARATOR = re.compile(r"(?<!\s)\s*(?:[\n;,|/]|\bor\b|\band\b|&)\s*", re.IGNORECASE)
_GOOGLE_SEPARATOR = re.compile(r"\s*:::\s*")  # in exports of Google Contacts
_read_one_email = parsing.api_field_reader(fields.EmailField(required=False))
_read_one_phone = parsing.one_line_reader(50)


@dataclass(frozen=True)
class MultipleValues:
    """The values of one cell: the first one, read, and the others as they are written."""

    first: object
    others: tuple[str, ...]


def read_email(text: str, lookups: parsing.Lookups) -> object:
    """Return the email address, or `MultipleValues` if the cell has several. Raises `ValueError`."""
    text = _GOOGLE_SEPARATOR.sub(", ", text)
    named = _NAMED_EMAIL.fullmatch(text)
    if named:
        return _read_one_email(_strip_email(named[1]), lookups)
    emails = [_strip_email(email) for email in _EMAIL.findall(text)]
    rest = _EMAIL.sub("", text)
    if len(emails) > 1 and _NAMED_EMAIL.match(text):  # Ann <a@x.example>, Bob <b@x.example>
        rest = _NAME_WITHOUT_EMAIL.sub("", rest)
    if not emails or not _ONLY_SEPARATORS.fullmatch(rest.replace("mailto:", "")):
        return _read_one_email(_strip_email(text), lookups)
    others = tuple(dict.fromkeys(email for email in emails[1:] if email.casefold() != emails[0].casefold()))
    first = _read_one_email(emails[0], lookups)
    return MultipleValues(first, others) if others else first


def _strip_email(address: str) -> str:
    return re.sub(r"^mailto:", "", address.strip(), flags=re.IGNORECASE).strip("'\"<> ,;:").removesuffix(".")


def read_phone(text: str, lookups: parsing.Lookups) -> object:
    """Return the phone number as it is written, or `MultipleValues` if the cell has several. Raises `ValueError`."""
    numbers = [part for part in _PHONE_SEPARATOR.split(_GOOGLE_SEPARATOR.sub(", ", text)) if part]
    if len(numbers) > 1 and all(map(normalization.normalize_phone, numbers)):
        return MultipleValues(_read_one_phone(numbers[0], lookups), tuple(numbers[1:]))
    return _read_one_phone(text.replace("\n", " "), lookups)
