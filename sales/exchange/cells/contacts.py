"""Cells with more than one e-mail address or telephone number: the first is the lead's, the others are kept."""

import re
from dataclasses import dataclass

from sales import normalization
from sales.exchange.cells import parsing

# Each begins only where something begins, so that the time they take grows with the text, not with its square.
_ADDRESS = re.compile(r"(?<![^\s<>;,|/\"()\[\]])[^\s<>;,|/\"()\[\]@]+@[^\s<>;,|/\"()\[\]]+")
_NAMED = re.compile(r"(?:\"[^\"]*\"\s*|[^<>@\";]*)<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>\s*", re.IGNORECASE)
_NAME_OF_ADDRESS = re.compile(r"(?<![^<>;,])[^<>;,]*<\s*>")
_BETWEEN = re.compile(r"(?:[\s;,|/&]|\bor\b|\band\b)*", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(r"(?<!\s)\s*(?:[\n;,|/]|\bor\b|\band\b|&)\s*", re.IGNORECASE)
_GOOGLE = re.compile(r"\s*:::\s*")  # between several values of one field, in exports of Google Contacts
_read_email = parsing.email


@dataclass(frozen=True)
class Several:
    """The first of the values in a cell, and the others as they stand there."""

    first: object
    others: tuple[str, ...]


def email(text: str, lookups: parsing.Lookups) -> object:
    """An address; of several, or with its owner's name, `Several`. Raises `ValueError`."""
    text = _GOOGLE.sub(", ", text)
    named = _NAMED.fullmatch(text)
    if named:
        return _read_email(_bare(named[1]), lookups)
    found = [_bare(address) for address in _ADDRESS.findall(text)]
    rest = _ADDRESS.sub("", text)
    if len(found) > 1 and _NAMED.match(text):  # Ann <a@x.example>, Bob <b@x.example>
        rest = _NAME_OF_ADDRESS.sub("", rest)
    if not found or not _BETWEEN.fullmatch(rest.replace("mailto:", "")):
        return _read_email(_bare(text), lookups)
    others = tuple(dict.fromkeys(each for each in found[1:] if each.casefold() != found[0].casefold()))
    first = _read_email(found[0], lookups)
    return Several(first, others) if others else first


def _bare(address: str) -> str:
    return re.sub(r"^mailto:", "", address.strip(), flags=re.IGNORECASE).strip("'\"<> ,;:").removesuffix(".")


def phone(text: str, lookups: parsing.Lookups) -> object:
    """A number as it is written; of several that are numbers each, `Several`. Raises `ValueError`."""
    numbers = [part for part in _BETWEEN_NUMBERS.split(_GOOGLE.sub(", ", text)) if part]
    if len(numbers) > 1 and all(map(normalization.normalize_phone, numbers)):
        return Several(_read_phone(numbers[0], lookups), tuple(numbers[1:]))
    return _read_phone(text.replace("\n", " "), lookups)


_read_phone = parsing.one_line(50)
