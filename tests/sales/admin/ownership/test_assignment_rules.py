"""Assignment rules in the admin: conditions in rows, tried out on recent leads before they are saved."""

import re

import pytest
from django.urls import reverse

from notifications.models import Notification
from sales.models import AssignmentRule, Turn

LIST = reverse("admin:sales_assignmentrule_changelist")
ADD = reverse("admin:sales_assignmentrule_add")
PREVIEW = reverse("admin:sales_assignmentrule_preview")
FORM = {
    "rule_name": "Big groups", "position": "5", "is_active": "on", "condition_1_field": "estimated_passengers",
    "condition_1_operator": "at_least", "condition_1_value": "40", "to_user": "", "to_team": "",
}  # fmt: skip


def text(answer, status=200):
    assert answer.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_added_changed_and_shown(browse, manager, rep, desk):
    two = {"condition_3_field": "channel", "condition_3_operator": "in", "condition_3_value": "ads,referral"}
    assert browse(manager).post(ADD, {**FORM, **two, "to_team": desk.pk}).status_code == 302
    rule = AssignmentRule.objects.get()
    assert (rule.to_team, rule.position, rule.conditions) == (desk, 5, [
        {"field": "estimated_passengers", "operator": "at_least", "value": "40"},
        {"field": "channel", "operator": "in", "value": "ads,referral"},
    ])  # fmt: skip
    assert "Charter desk, in turn" in text(browse(manager).get(LIST))
    assert "Number of passengers: is at least 40; Channel of the lead source: is one of" in text(
        browse(manager).get(LIST)
    )
    url = reverse("admin:sales_assignmentrule_change", args=[rule.pk])
    page = browse(manager).get(url)
    assert page.context["adminform"].form.initial["condition_2_value"] == "ads,referral"
    assert browse(manager).post(url, {**FORM, "to_user": rep.pk, "condition_1_value": "60"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.to_user, rule.to_team, [each["value"] for each in rule.conditions]) == (rep, None, ["60"])
    AssignmentRule.objects.update(conditions=[{"field": "x", "operator": "equals", "value": "1"}])
    assert "Invalid: Choose a field." in text(browse(manager).get(LIST))


@pytest.mark.parametrize(
    ("wrong", "field", "why"),
    [
        ({"condition_1_value": "many"}, "condition_1_value", "Enter a whole number."),
        ({"condition_1_operator": ""}, "condition_1_value", "Choose a comparison that goes with this field"),
        ({"condition_2_value": "5"}, "condition_2_value", "Choose a field."),
        ({"position": "x"}, "position", "Enter a whole number."),
    ],
)
def test_what_is_wrong_is_said_beside_it(browse, manager, rep, wrong, field, why):
    for url in (ADD, PREVIEW):
        answer = browse(manager).post(url, {**FORM, "to_user": rep.pk, **wrong})
        assert why in text(answer)
        form = answer.context["form"] if url == PREVIEW else answer.context["adminform"].form
        assert list(form.errors) == [field]
    assert AssignmentRule.objects.count() == 0


def test_tried_out_on_recent_leads_before_saving(browse, manager, rep, desk, make_lead):
    for passengers in (10, 50, 70):
        make_lead(estimated_passengers=passengers, company_name=f"Band of {passengers}")
    AssignmentRule.objects.create(
        rule_name="Very big", position=1, to_user=rep,
        conditions=[{"field": "estimated_passengers", "operator": "at_least", "value": "60"}],
    )  # fmt: skip
    page = text(browse(manager).post(PREVIEW, {**FORM, "to_team": desk.pk}))
    for shown in (
        "newest 3 leads", "2 leads match the rule", "1 lead would go to: Charter desk, in turn",
        "1 lead matches no rule at all", "Maria Very big", "Charter desk, in turn Big groups",
    ):  # fmt: skip
        assert shown in page
    assert "Band of 10" not in page
    assert (AssignmentRule.objects.count(), Turn.objects.count(), Notification.objects.count()) == (1, 0, 0)


def test_a_changed_rule_is_tried_in_the_place_of_itself(browse, manager, rep, make_lead):
    make_lead(estimated_passengers=50)
    rule = AssignmentRule.objects.create(rule_name="All", position=1, to_user=rep)
    page = text(browse(manager).post(f"{PREVIEW}?rule={rule.pk}", {**FORM, "rule_name": "All", "to_user": rep.pk}))
    assert "1 lead would go to: Maria" in page
    rule.refresh_from_db()
    assert rule.conditions == []
    change = browse(manager).get(reverse("admin:sales_assignmentrule_change", args=[rule.pk])).content.decode()
    assert f'formaction="{PREVIEW}?rule={rule.pk}" formtarget="preview"' in change


def test_rules_are_for_managers(browse, rep):
    assert [browse(rep).get(LIST).status_code, browse(rep).post(PREVIEW, FORM).status_code] == [403, 403]
