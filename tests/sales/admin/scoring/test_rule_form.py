"""The form of a rule: what its script is told, and what the server says of parts that do not fit."""

import json
import re

import pytest
from django.urls import reverse

from sales.models import LeadScoringRule
from sales.scoring.fields import FIELDS
from tests.sales.admin.scoring.test_scoring_rules import FORM, text

ADD = reverse("admin:sales_leadscoringrule_add")


def refused(page):
    """What the form says, by field."""
    return dict(re.findall(r'<ul class="errorlist" id="id_(\w+)_error"><li>(.*?)</li>', page))


def test_the_page_holds_what_fits_together(browse, manager):
    page = text(browse(manager).get(ADD))
    found = re.search(r'<script id="form-options" type="application/json">(.*?)</script>', page)
    offered = json.loads(found[1])
    assert [(field["type"], field["name"], tuple(field["operators"])) for field in offered["fields"]] == [
        (field.rule_type, field.name, field.operators) for field in FIELDS.values()
    ]
    by_name = {field["name"]: field for field in offered["fields"]}
    assert by_name["is_repeat"]["values"] == [["true", "Yes"], ["false", "No"]]
    assert ["shuttle", "Shuttle"] in by_name["trip_type"]["values"]
    assert (by_name["call_count"]["is_timed"], by_name["notes"]["is_timed"]) == (True, False)
    assert set(offered["many"]) == {"between", "in"}


def test_no_two_fields_share_a_name():
    """A field's name alone says its type: the script sets it, and the server names it."""
    assert len({name for _, name in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize(
    ("wrong", "why"),
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
        ({"condition_field": "", "points": "x"}, {
            "condition_field": "This field is required.", "points": "Enter a whole number.",
        }),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_beside_it(browse, manager, wrong, why):
    assert refused(text(browse(manager).post(ADD, FORM | wrong))) == why
    assert LeadScoringRule.objects.count() == 8


def test_what_fits_is_saved(browse, manager):
    assert browse(manager).post(ADD, FORM).status_code == 302
    assert LeadScoringRule.objects.get(rule_name="Wheelchairs").points == 55
