"""Assignment rules in the admin: conditions are rows of inputs, and a rule can be tried before it is saved."""

import re

import pytest
from django.urls import reverse

from notifications.models import Notification
from sales.admin.ownership.assignment_rules import AssignmentRuleForm
from sales.models import AssignmentRule, Turn
from sales.services.ownership import assignment

LIST = reverse("admin:sales_assignmentrule_changelist")
ADD = reverse("admin:sales_assignmentrule_add")
PREVIEW = reverse("admin:sales_assignmentrule_preview")
FORM = {
    "rule_name": "Big groups",
    "position": "5",
    "is_active": "on",
    "condition_1_field": "estimated_passengers",
    "condition_1_operator": "at_least",
    "condition_1_value": "40",
    "to_user": "",
    "to_team": "",
}
CHANNEL_CONDITION = {
    "condition_3_field": "channel",
    "condition_3_operator": "in",
    "condition_3_value": "ads,referral",
}


def read_text(response, status=200):
    assert response.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def get_change_url(rule):
    return reverse("admin:sales_assignmentrule_change", args=[rule.pk])


@pytest.fixture
def rule(browse, manager, desk):
    """A rule with two conditions, for the team, saved by the form."""
    response = browse(manager).post(ADD, {**FORM, **CHANNEL_CONDITION, "to_team": desk.pk})
    assert response.status_code == 302
    return AssignmentRule.objects.get()


def test_the_form_has_inputs_for_as_many_conditions_as_a_rule_may_have():
    names = [name for name in AssignmentRuleForm.base_fields if name.startswith("condition_")]

    assert len(names) == 3 * assignment.MAX_CONDITIONS


def test_a_rule_is_added(rule, desk):
    assert rule.to_team == desk
    assert rule.position == 5
    assert rule.conditions == [
        {"field": "estimated_passengers", "operator": "at_least", "value": "40"},
        {"field": "channel", "operator": "in", "value": "ads,referral"},
    ]


def test_the_list_describes_a_rule(rule, browse, manager):
    page = read_text(browse(manager).get(LIST))

    assert "Charter desk, in turn" in page
    assert "Number of passengers: is at least 40; Channel of the lead source: is one of ads,referral" in page


def test_the_form_shows_the_conditions_without_gaps(rule, browse, manager):
    page = browse(manager).get(get_change_url(rule))

    assert page.context["adminform"].form.initial["condition_2_value"] == "ads,referral"


def test_a_rule_is_changed(rule, browse, manager, rep):
    form = {**FORM, "to_user": rep.pk, "condition_1_value": "60"}

    response = browse(manager).post(get_change_url(rule), form)

    assert response.status_code == 302
    rule.refresh_from_db()
    assert rule.to_user == rep
    assert rule.to_team is None
    assert [condition["value"] for condition in rule.conditions] == ["60"]


def test_the_list_marks_an_invalid_rule(rule, browse, manager):
    AssignmentRule.objects.update(conditions=[{"field": "x", "operator": "equals", "value": "1"}])

    assert "Invalid: Choose a field." in read_text(browse(manager).get(LIST))


@pytest.mark.parametrize("url", [ADD, PREVIEW], ids=["add", "preview"])
@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"condition_1_value": "many"}, "condition_1_value", "Enter a whole number."),
        ({"condition_1_operator": ""}, "condition_1_value", "Choose a comparison that goes with this field"),
        ({"condition_2_value": "5"}, "condition_2_value", "Choose a field."),
        ({"position": "x"}, "position", "Enter a whole number."),
    ],
)
def test_an_error_is_shown_beside_its_field(browse, manager, rep, url, values, field, message):
    response = browse(manager).post(url, {**FORM, "to_user": rep.pk, **values})

    assert message in read_text(response)
    form = response.context["form"] if url == PREVIEW else response.context["adminform"].form
    assert list(form.errors) == [field]
    assert AssignmentRule.objects.count() == 0


class TestPreview:
    @pytest.fixture
    def page(self, browse, manager, rep, desk, make_lead):
        """The preview of a rule for 40 passengers, with three leads, after a rule for 60 passengers."""
        for passengers in (10, 50, 70):
            make_lead(estimated_passengers=passengers, company_name=f"Band of {passengers}")
        AssignmentRule.objects.create(
            rule_name="Very big",
            position=1,
            to_user=rep,
            conditions=[{"field": "estimated_passengers", "operator": "at_least", "value": "60"}],
        )
        return read_text(browse(manager).post(PREVIEW, {**FORM, "to_team": desk.pk}))

    @pytest.mark.parametrize(
        "text",
        [
            "the newest 3 leads",
            "2 leads match the rule",
            "1 lead would go to: Charter desk, in turn",
            "1 lead matches no rule at all",
            "Maria Very big",
            "Charter desk, in turn Big groups",
        ],
    )
    def test_it_shows_what_the_rule_would_decide(self, page, text):
        assert text in page

    def test_leads_that_do_not_match_are_not_listed(self, page):
        assert "Band of 10" not in page

    def test_it_writes_nothing(self, page):
        assert AssignmentRule.objects.count() == 1
        assert Turn.objects.count() == 0
        assert Notification.objects.count() == 0

    def test_a_changed_rule_takes_its_own_place(self, browse, manager, rep, make_lead):
        make_lead(estimated_passengers=50)
        rule = AssignmentRule.objects.create(rule_name="All", position=1, to_user=rep)

        response = browse(manager).post(f"{PREVIEW}?rule={rule.pk}", {**FORM, "rule_name": "All", "to_user": rep.pk})

        assert "1 lead would go to: Maria" in read_text(response)
        rule.refresh_from_db()
        assert rule.conditions == []

    def test_the_form_leads_to_it(self, rule, browse, manager):
        page = browse(manager).get(get_change_url(rule)).content.decode()

        assert f'formaction="{PREVIEW}?rule={rule.pk}" formtarget="preview"' in page


def test_salespeople_may_not_see_the_list(browse, rep):
    assert browse(rep).get(LIST).status_code == 403


def test_salespeople_may_not_preview_a_rule(browse, rep):
    assert browse(rep).post(PREVIEW, FORM).status_code == 403
