"""A scope narrows a report to a team or a person; it never shows more."""

import pytest

from sales.models import Lead
from sales.queries.reports.scope import COMPANY, Scope

EVERYBODY_AND_NOBODY = {"Maria", "Tom", "Otto", "Gone", None}


@pytest.fixture
def owners(rep, colleague, stranger, leaver, make_lead):
    for owner in (rep, colleague, stranger, leaver, None):
        make_lead(assigned_to=owner)


@pytest.mark.parametrize(
    ("team", "person", "names"),
    [
        (None, None, EVERYBODY_AND_NOBODY),
        ("desk", None, {"Maria", "Tom", "Gone"}),
        (None, "rep", {"Maria"}),
        ("desk", "rep", {"Maria"}),
        ("other_desk", "rep", set()),
    ],
)
def test_a_scope_matches_the_leads_of_its_people(request, owners, team, person, names):
    team_id, person_id = (name and request.getfixturevalue(name).pk for name in (team, person))
    scope = Scope(team_id, person_id)
    leads = Lead.objects.filter(scope.matches("assigned_to"))

    assert set(leads.values_list("assigned_to__full_name", flat=True)) == names
    assert scope.is_narrow == (names != EVERYBODY_AND_NOBODY)
    assert scope.is_narrow == (scope != COMPANY)


def test_a_scope_does_not_show_invisible_leads(owners, rep, stranger):
    scope = Scope(person=stranger.pk)
    assert not Lead.objects.visible_to(rep).filter(scope.matches("assigned_to")).exists()
