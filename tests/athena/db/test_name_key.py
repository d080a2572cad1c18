"""Name keys are the same in Python and on both databases, and equal for spellings that people take for one name."""

import sys
import unicodedata

import pytest
from django.db.models import Value

from athena.accounts.models import Team
from athena.db import NameKey, name_key

SAME = [
    ("École de Danse", "e\u0301cole  DE danse", "\u00c9COLE\u00a0de\u2003danse ", " E\u0301cole de Danse"),
    ("İstanbul", "i\u0307stanbul", "ISTANBUL", "istanbul"),
    ("ΟΔΟΣ ΟΔΥΣΣΕΩΣ", "οδος οδυσσεως", "Οδοσ Οδυσσεωσ"),
    ("Åre", "A\u030are", "\u212bre", "åre"),
    ("한국", unicodedata.normalize("NFD", "한국")),
]


def read_database_keys(*names):
    """The keys that the database computes for these names."""
    Team.objects.get_or_create(name="One")
    row = Team.objects.filter(name="One").annotate(**{f"key_{n}": NameKey(Value(name)) for n, name in enumerate(names)})
    return [row.values_list(f"key_{n}", flat=True).get() for n, _ in enumerate(names)]


@pytest.mark.parametrize("names", SAME)
def test_spellings_of_one_name_have_one_key(db, names):
    assert len({name_key(name) for name in names}) == 1
    assert read_database_keys(*names) == [name_key(name) for name in names]


def test_other_names_have_other_keys():
    names = ("Ecole", "École", "Straße", "Strasse", "Summer-Trips", "Summer Trips")
    assert len({name_key(name) for name in names}) == 6


def test_every_letter_and_space_of_both_cases(db):
    """Of all characters, those that are spaces or have a case or a second form."""
    odd = [
        character
        for character in map(chr, range(1, sys.maxunicode))
        if character.isspace() or character.lower() != character or unicodedata.normalize("NFC", character) != character
    ]
    names = [f"Trip{character}{character} A" for character in odd if not "\ud800" <= character <= "\udfff"]
    for first in range(0, len(names), 200):
        some = names[first : first + 200]
        assert read_database_keys("".join(some)) == [name_key("".join(some))]
