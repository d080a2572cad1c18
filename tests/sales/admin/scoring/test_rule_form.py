"""The form of a scoring rule: it offers what fits together, and says beside each field what does not."""

import json
import re

import pytest
from django.urls import reverse

from sales.models import LeadScoringRule
from sales.scoring.fields import FIELDS
from tests.sales.admin.scoring.test_scoring_rules import FORM, read_page

ADD = reverse("admin:sales_leadscoringrule_add")


def read_errors(page):
    """The errors beside the form's fields, by field."""
    errors = re.findall(r'<ul class="errorlist"[^>]*id="id_(\w+)_error"[^>]*>\s*<li>(.*?)</li>', page)
    return {name: message.replace("&#x27;", "'") for name, message in errors}


@pytest.fixture
def options(browse, manager):
    """The options that the page carries for its script."""
    page = read_page(browse(manager).get(ADD))
    match = re.search(r'<script id="form-options" type="application/json">(.*?)</script>', page)
    return json.loads(match[1])


class TestOptions:
    def find_field(self, options, name):
        return next(field for field in options["fields"] if field["name"] == name)

    def test_they_are_the_fields_of_the_registry(self, options):
        offered = [(field["type"], field["name"], tuple(field["operators"])) for field in options["fields"]]

        assert offered == [(field.rule_type, field.name, field.operators) for field in FIELDS.values()]

    def test_a_yes_or_no_field_has_two_values(self, options):
        assert self.find_field(options, "is_repeat")["values"] == [["true", "Yes"], ["false", "No"]]

    def test_a_choice_field_has_its_choices(self, options):
        assert ["shuttle", "Shuttle"] in self.find_field(options, "trip_type")["values"]

    @pytest.mark.parametrize(("name", "is_timed"), [("call_count", True), ("notes", False)])
    def test_a_field_says_whether_it_comes_from_events(self, options, name, is_timed):
        assert self.find_field(options, name)["is_timed"] is is_timed

    def test_operators_with_several_values_have_a_hint(self, options):
        assert set(options["many"]) == {"between", "in"}


def test_no_two_fields_share_a_name():
    """A field's name alone says its type: the script sets it, and the server names it."""
    assert len({name for _, name in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        (
            {"rule_type": "activity"},
            {"condition_field": "“Number of accessible seats needed” belongs to the type “Details of the lead”."},
        ),
        (
            {"condition_operator": "contains"},
            {
                "condition_operator": "“Number of accessible seats needed” takes these comparisons: is, is not, "
                "is more than, is at least, is less than, is at most, is between, is one of, is known."
            },
        ),
        (
            {"within_days": "7"},
            {"within_days": "“Number of accessible seats needed” does not come from events, so leave this empty."},
        ),
        ({"condition_value": "many"}, {"condition_value": "Enter a whole number."}),
        (
            {"condition_field": "", "points": "x"},
            {"condition_field": "This field is required.", "points": "Enter a whole number."},
        ),
    ],
    ids=["type", "operator", "days", "value", "missing field"],
)
def test_what_does_not_fit_is_said_beside_its_field(browse, manager, values, errors):
    page = read_page(browse(manager).post(ADD, FORM | values))

    assert read_errors(page) == errors
    assert LeadScoringRule.objects.count() == 8


def test_a_valid_rule_is_saved(browse, manager):
    response = browse(manager).post(ADD, FORM)

    assert response.status_code == 302
    assert LeadScoringRule.objects.get(rule_name="Wheelchairs").points == 55
