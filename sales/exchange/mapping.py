"""Which field each column of a file fills, by its header: as Athena, people and other systems' exports write it."""

import re
from collections.abc import Sequence

from sales import errors
from sales.exchange.columns import (
    BY_NAME,
    COLUMNS,
    CURRENCY,
    EXTRA_EMAIL,
    EXTRA_PHONE,
    FIRST_NAME,
    LAST_NAME,
    LEAD_NUMBER,
)
from sales.exchange.xlsx.worksheet import to_letters

_PART_HEADERS = {
    FIRST_NAME: ("First name", "Given name", "Contact first name", "Person - First name", "Firstname"),
    LAST_NAME: ("Last name", "Family name", "Surname", "Contact last name", "Person - Last name", "Lastname"),
}
_REQUIRED = {"company_name", "contact_name", FIRST_NAME, LAST_NAME, LEAD_NUMBER}  # one of these

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")  # MobilePhone
_CURRENCY_WORDS = {"currency", "deal", "lead", "opportunity", "value", "amount", "of", "code", "iso"}
_CONTACT_WORDS = {
    EXTRA_PHONE: {
        *("phone", "phones", "telephone", "telephones", "tel", "mobile", "mobiles", "cell", "cellphone", "handy"),
    },
    EXTRA_EMAIL: {"email", "emails", "mail", "mails"},
}
_QUALIFIERS = {
    *("alternate", "alternative", "alt", "secondary", "second", "third", "other", "additional", "further", "non"),
    *("primary", "main", "direct", "work", "business", "office", "home", "personal", "private", "day", "daytime"),
    *("evening", "company", "organization", "organisation", "account", "person", "contact", "lead", "customer"),
    *("client", "user", "number", "numbers", "no", "address", "addresses", "value", "e"),
}
# In an export of companies, "Name" is the company's.
_COMPANY_HEADERS = {
    *("website", "industry", "employees", "annualrevenue", "accounttype", "numberofemployees", "accountname"),
}
_PERSON_HEADERS = {"contact", "contactname", "contactperson", "fullname", "company", "companyname"}


def map_columns(header: Sequence[str]) -> list[str | None]:
    """Return what each column of a file fills: a field, a part of one (such as `FIRST_NAME`), or None for nothing.

    Raises `Invalid` if a column has no header, if two have the same, or if none can name a lead.
    """
    empty = [to_letters(place) for place, cell in enumerate(header, 1) if not cell.strip()]
    if empty:
        _refuse(f"Column {', '.join(empty)} has no header. Give it one, or delete the column, even if it looks empty.")
    names = _find_names(header)
    for name in sorted(name for name in set(names) & set(BY_NAME) if name is not None):
        same = [cell.strip() for cell, column_name in zip(header, names, strict=True) if column_name == name]
        if len(same) > 1:
            _refuse(f"These columns are the same: {', '.join(same)}. Keep one of them.")
    keys = [_make_key(cell) for cell in header]
    repeated = sorted({cell.strip() for cell, key in zip(header, keys, strict=True) if keys.count(key) > 1})
    if repeated:
        _refuse(f"This header is there more than once: {', '.join(repeated)}. Rename or delete one of them.")
    if not _REQUIRED & set(names):
        shown = ", ".join(cell.strip()[:30] for cell in header[:5])
        hint = " Separate cells by commas, semicolons, tabs or vertical bars." if len(header) == 1 else ""
        _refuse(f"The first line must name the columns, with Company or Contact among them. It is: {shown}.{hint}")
    return names


def _find_names(header: Sequence[str]) -> list[str | None]:
    known = {_make_key(spelling): column.name for column in COLUMNS for spelling in column.headers}
    known[LEAD_NUMBER] = LEAD_NUMBER
    known |= {_make_key(spelling): part for part, spellings in _PART_HEADERS.items() for spelling in spellings}
    if _lists_companies(header):
        known["name"] = "company_name"
    names = [
        known.get(_make_key(cell)) or (CURRENCY if _is_currency(cell) else _find_contact_part(cell)) for cell in header
    ]
    for name, part in (("phone", EXTRA_PHONE), ("email", EXTRA_EMAIL)):
        if part in names and name not in names:
            names[names.index(part)] = name
    if names.count("phone") > 1:
        first = names.index("phone")
        names = [EXTRA_PHONE if name == "phone" and place != first else name for place, name in enumerate(names)]
    return names


def _make_key(header: str) -> str:
    """Return the header without case, spaces and punctuation."""
    return "".join(filter(str.isalnum, header.casefold()))


def _find_contact_part(header: str) -> str | None:
    """Return `EXTRA_PHONE` or `EXTRA_EMAIL` for a header such as "Mobile Phone" or "E-mail 2 Address", else None."""
    words = set(_split_words(header))
    for name, contact_words in _CONTACT_WORDS.items():
        if words & contact_words and words <= contact_words | _QUALIFIERS:
            return name
    return None


def _is_currency(header: str) -> bool:
    """Whether the column names the currency of the row's amounts, such as "Deal - Currency of Value"."""
    words = set(_split_words(header))
    return "currency" in words and words <= _CURRENCY_WORDS


def _split_words(header: str) -> list[str]:
    spaced = _CAMEL_CASE.sub(" ", header).casefold()
    return [word for word in _WORD.findall(spaced) if not word.isdigit()]


def _lists_companies(header: Sequence[str]) -> bool:
    """Whether the file's rows are companies: it has columns that only companies have, and none of a person."""
    keys = {_make_key(cell) for cell in header}
    name_parts = {_make_key(spelling) for spellings in _PART_HEADERS.values() for spelling in spellings}
    if keys & name_parts or keys & _PERSON_HEADERS:
        return False
    return bool(keys & _COMPANY_HEADERS) or any(key.startswith("billing") for key in keys)


def _refuse(reason: str) -> None:
    raise errors.Invalid({"file": reason})
