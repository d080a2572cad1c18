"""Whose leads a report is narrowed to: it takes away, and never adds."""

import pytest

from sales.models import Lead
from sales.queries.reports.scope import EVERYBODY, Whose


@pytest.fixture
def owners(rep, colleague, stranger, leaver, make_lead):
    for owner in (rep, colleague, stranger, leaver, None):
        make_lead(assigned_to=owner)


@pytest.mark.parametrize(
    ("team", "person", "names"),
    [
        (None, None, {"Maria", "Tom", "Otto", "Gone", None}),
        ("desk", None, {"Maria", "Tom", "Gone"}),
        (None, "rep", {"Maria"}),
        ("desk", "rep", {"Maria"}),
        ("other_desk", "rep", set()),
    ],
)
def test_of(request, owners, team, person, names):
    whose = Whose(*(name and request.getfixturevalue(name).pk for name in (team, person)))
    found = Lead.objects.filter(whose.of("assigned_to")).values_list("assigned_to__full_name", flat=True)
    assert set(found) == names
    assert whose.is_narrow == (whose != EVERYBODY) == (names != {"Maria", "Tom", "Otto", "Gone", None})


def test_what_is_not_visible_stays_so(owners, rep, stranger):
    assert list(Lead.objects.visible_to(rep).filter(Whose(person=stranger.pk).of("assigned_to"))) == []
