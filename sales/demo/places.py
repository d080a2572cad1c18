"""The region of the demo and the people who live there. Phone numbers and emails are reserved for fiction."""

import unicodedata
from dataclasses import dataclass
from random import Random


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


# Town, state, area code.
TOWNS = tuple(
    (town, state, area)
    for state, entries in {
        "MA": "Worcester 508,Lowell 978,Springfield 413,Quincy 617,Salem 351,Pittsfield 413,Plymouth 774,Newton 857",
        "CT": "Hartford 860,New Haven 203,Stamford 475,Norwich 959,Danbury 203,Middletown 860",
        "RI": "Providence 401,Newport 401,Warwick 401",
        "NH": "Manchester 603,Nashua 603,Concord 603,Portsmouth 603",
        "ME": "Portland 207,Bangor 207,Lewiston 207",
        "VT": "Burlington 802,Rutland 802,Montpelier 802",
        "NY": "Albany 518,Yonkers 914,Poughkeepsie 845,Syracuse 315,Ithaca 607,Rochester 585,Saratoga 518,Rye 914",
        "NJ": "Newark 862,Trenton 609,Princeton 609,Hoboken 201,Morristown 973,Red Bank 732",
        "PA": "Scranton 570,Allentown 610,Lancaster 717,Bethlehem 484,Reading 610",
    }.items()
    for town, _, area in (entry.rpartition(" ") for entry in _split(entries))
)
FIRST_NAMES = _split(
    "Dana,Priya,Marcus,Elena,Howard,Keisha,Liam,Sofia,Raj,Bridget,Omar,Hannah,Derek,Yolanda,Peter,Mei,Carlos,Judith,"
    "Andre,Fiona,Samuel,Rosa,Kevin,Amara,Walter,Ingrid,Luis,Naomi,Gerald,Tessa,Victor,Chloé,Isaac,Beth,Hugo,Renée"
)
LAST_NAMES = _split(
    "Ruiz,Whitfield,Patel,O'Connor,Johansson,Baker,Nguyen,Alvarez,Kowalski,Brooks,Haddad,Freeman,Rossi,Kim,Sullivan,"
    "Mbeki,Garnett,Delgado,Fischer,Osei,Park,Lombardi,Stein,Ferreira,Doyle,Vaughn,Castillo,Hsu,Abrams,Novak,Pruitt,"
    "Ellison,Tran,Moreau,Quinn,Sato,Bauer,Keller,Ortiz"
)
FICTITIOUS_LINES = 100  # 555-0100 to 555-0199 in each area code


@dataclass(frozen=True)
class Client:
    """A company or person that asks for buses, perhaps more than once."""

    company: str
    contact: str
    email: str
    phone: str
    town: str
    state: str

    @property
    def address(self) -> str:
        return f"{self.town}, {self.state}"


def make_client(rng: Random, number: int, company: str, domain: str) -> Client:
    """Create a client of one kind of trip. `company` may contain `{town}` and `{last}`; it is empty for a person."""
    town, state, area = TOWNS[number * 7 % len(TOWNS)]  # coprime with 7: every town occurs before one repeats
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    company = company.format(town=town, last=last)
    host = f"{_slug(company)}.example.{domain}" if company else f"example.{domain}"
    return Client(
        company=company,
        contact=f"{first} {last}",
        email=f"{_slug(first)}.{_slug(last)}@{host}",
        phone=f"({area}) 555-01{rng.randrange(FICTITIOUS_LINES):02}" if rng.random() < 0.9 else "",
        town=town,
        state=state,
    )


def _slug(text: str) -> str:
    """The ASCII letters (without accents, in lower case) and digits of the text."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if c.isascii() and c.isalnum())
