"""Which column a header means: as Athena calls it, as people do, and as other systems' exports do."""

import re

PHONE, EMAIL = "further_phone", "further_email"
CURRENCY = "currency"  # of the row's amounts
FIRST, LAST = "first_name", "last_name"
NAMES = {
    FIRST: ("First name", "Given name", "Contact first name", "Person - First name", "Firstname"),
    LAST: ("Last name", "Family name", "Surname", "Contact last name", "Person - Last name", "Lastname"),
}

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # MobilePhone
_OF_AMOUNTS = {"deal", "lead", "opportunity", "value", "amount", "of", "code", "iso"}
_CORES = {
    PHONE: {"phone", "phones", "telephone", "telephones", "tel", "mobile", "mobiles", "cell", "cellphone", "handy"},
    EMAIL: {"email", "emails", "mail", "mails"},
}
_WHOSE = {
    *("alternate", "alternative", "alt", "secondary", "second", "third", "other", "additional", "further", "non"),
    *("primary", "main", "direct", "work", "business", "office", "home", "personal", "private", "day", "daytime"),
    *(
        "evening",
        "company",
        "organization",
        "organisation",
        "account",
        "person",
        "contact",
        "lead",
        "customer",
        "client",
    ),
    *("user", "number", "numbers", "no", "address", "addresses", "value", "e"),
}
# An export of companies, in which "Name" is the company's.
_OF_COMPANIES = {"website", "industry", "employees", "annualrevenue", "accounttype", "numberofemployees", "accountname"}


def key(header: str) -> str:
    """The header without case, spaces and punctuation."""
    return "".join(filter(str.isalnum, header.casefold()))


def further(header: str) -> str | None:
    """`PHONE` or `EMAIL` for a column of further numbers or addresses, such as "Mobile Phone" or "E-mail 2 Address"."""
    words = _words(header)
    for name, cores in _CORES.items():
        if set(words) & cores and set(words) <= cores | _WHOSE:
            return name
    return None


def is_currency(header: str) -> bool:
    """Whether the column names the currency of the row's amounts, such as "Deal - Currency of Value"."""
    words = set(_words(header))
    return "currency" in words and words <= {"currency", *_OF_AMOUNTS}


def _words(header: str) -> list[str]:
    spaced = _CAMEL.sub(" ", header).casefold()
    return [word for word in _WORD.findall(spaced) if not word.isdigit()]


def is_of_companies(headers: list[str]) -> bool:
    """Whether the file's rows are companies: it has columns that only they have, and none of a person."""
    keys = {key(header) for header in headers}
    people = {key(spelling) for spellings in NAMES.values() for spelling in spellings}
    if keys & people or keys & {"contact", "contactname", "contactperson", "fullname", "company", "companyname"}:
        return False
    return bool(keys & _OF_COMPANIES) or any(each.startswith("billing") for each in keys)
