"""Rules in the admin: broken ones are shown, a change can be rehearsed, what they are worth, a run that moves."""

import pytest
from django.urls import reverse

from sales.models import LeadScoringRule, ScoringRun

LIST = reverse("admin:sales_leadscoringrule_changelist")
PREVIEW = reverse("admin:sales_leadscoringrule_preview")
WORTH = reverse("admin:sales_leadscoringrule_effectiveness")
FORM = {
    "rule_name": "Wheelchairs", "rule_type": "attribute", "condition_field": "accessible_seats",
    "condition_operator": "at_least", "condition_value": "1", "points": "55", "is_active": "on",
    "within_days": "", "half_life_days": "", "group": "",
}  # fmt: skip


def text(answer, status=200):
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_a_rule_that_plain_sql_broke_is_shown_as_broken(browse, manager):
    LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="many")
    page = text(browse(manager).get(LIST))
    assert page.count('<span class="overdue">Broken</span>: It is a whole number.') == 1
    assert page.count("In use") == 7


def test_a_new_rule_is_rehearsed_and_not_saved(browse, manager, rep, make_lead):
    make_lead(assigned_to=rep, accessible_seats=2, company_name="Harbor Tours")
    page = text(browse(manager).post(PREVIEW, FORM))
    assert "<strong>1</strong> of 1 open lead changes its score" in page
    assert "<strong>1</strong> becomes hot (50 points or more)" in page
    assert "Harbor Tours</a>" in page
    assert "Wheelchairs +55" in page
    assert (LeadScoringRule.objects.count(), ScoringRun.objects.count()) == (8, 0)


def test_a_changed_rule_is_rehearsed_in_the_place_of_itself(browse, manager, make_lead):
    make_lead(is_repeat=True, score=30)
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    values = {name: getattr(rule, name) for name in FORM if getattr(rule, name) not in (None, False)}
    page = text(browse(manager).post(f"{PREVIEW}?rule={rule.pk}", values | {"points": "20"}))
    assert "<strong>1</strong> of 1 open lead changes its score" in page
    rule.refresh_from_db()
    assert rule.points == 30


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"points": "101"}, "Points are from −100 to 100."), ({"condition_value": "many"}, "It is a whole number."),
     ({"rule_name": "Repeat Client"}, "already exists")],
)  # fmt: skip
def test_what_can_not_be_saved_says_why(browse, manager, wrong, why):
    page = text(browse(manager).post(PREVIEW, FORM | wrong))
    assert "This can&#x27;t be saved" in page or "This can't be saved" in page
    assert why in page


def test_both_pages_are_for_managers(browse, rep, manager):
    assert browse(rep).post(PREVIEW, FORM).status_code == browse(rep).get(WORTH).status_code == 403
    assert browse(manager).get(PREVIEW).status_code == 405
    assert "Too few leads to say" in text(browse(manager).get(WORTH))


def test_the_form_leads_to_its_preview(browse, manager):
    rule = LeadScoringRule.objects.first()
    page = text(browse(manager).get(reverse("admin:sales_leadscoringrule_change", args=[rule.pk])))
    assert f'formaction="{PREVIEW}?rule={rule.pk}" formtarget="preview"' in page


def test_the_list_of_runs_renews_itself_while_one_is_under_way(browse, manager):
    runs = reverse("admin:sales_scoringrun_changelist")
    ScoringRun.objects.create(rule_set_version=1, state="done", total=4, processed=4)
    refresh = '<meta http-equiv="refresh" content="2">'
    assert refresh not in text(browse(manager).get(runs))
    ScoringRun.objects.create(rule_set_version=1, state="running", total=10, processed=3)
    page = text(browse(manager).get(runs))
    assert refresh in page
    assert '<progress max="10" value="3" aria-label="Leads scored"></progress> 3 of 10' in page
