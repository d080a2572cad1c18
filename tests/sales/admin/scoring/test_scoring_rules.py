"""Rules in the admin: broken ones are shown, switched in the list, counted, rehearsed; a run that moves."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sales.models import LeadScoringRule, ScoringRun

LIST = reverse("admin:sales_leadscoringrule_changelist")
PREVIEW = reverse("admin:sales_leadscoringrule_preview")
MATCHES = reverse("admin:sales_leadscoringrule_matches")
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
    assert page.count('<span class="overdue">Invalid</span>: Enter a whole number.') == 1


@pytest.fixture
def repeat_client(db):
    return LeadScoringRule.objects.get(rule_name="Repeat Client")


@pytest.fixture
def switch(browse, manager, repeat_client):
    """Posts what a button of the list posts, as a manager; gives the messages of the page that follows."""

    def post(state, rule_id=repeat_client.pk, **more):
        address = reverse("admin:sales_leadscoringrule_switch", args=[rule_id])
        answer = browse(manager).post(address, {"is_active": state, **more}, follow=True)
        return answer.redirect_chain, [str(said) for said in answer.context["messages"]]

    return post


def test_a_rule_is_switched_off_in_the_list_and_a_run_starts(switch, browse, manager, repeat_client):
    address = reverse("admin:sales_leadscoringrule_switch", args=[repeat_client.pk])
    on, off = (f'formaction="{address}" name="is_active" value="{state}"' for state in ("on", "off"))
    assert (off in text(browse(manager).get(LIST)), on in text(browse(manager).get(LIST))) == (True, False)
    run = f'<a href="{reverse("admin:sales_scoringrun_changelist")}">A scoring run</a>'
    said = f"“Repeat Client” is off. {run} over all open leads has started."
    assert switch("off", next=f"{LIST}?q=Repeat") == ([(f"{LIST}?q=Repeat", 302)], [said])
    assert LeadScoringRule.objects.get(pk=repeat_client.pk).is_active is False
    assert list(ScoringRun.objects.values_list("reason", flat=True)) == ["Rule changed: Repeat Client"]
    assert (off in text(browse(manager).get(LIST)), on in text(browse(manager).get(LIST))) == (False, True)


def test_switched_twice_is_switched_once(switch):
    assert switch("on") == ([(LIST, 302)], ["“Repeat Client” is on."])
    assert ScoringRun.objects.count() == 0


def test_what_can_not_be_switched_says_why(switch, browse, manager, repeat_client):
    assert switch("off", rule_id=0) == ([(LIST, 302)], ["The rule can't be switched off: There is no such rule."])
    LeadScoringRule.objects.filter(pk=repeat_client.pk).update(condition_value="many", is_active=False)
    assert switch("on")[1] == ["The rule can't be switched on: condition_value: Enter true or false."]
    assert switch("on", next="https://elsewhere.example/")[0] == [(LIST, 302)]
    address = reverse("admin:sales_leadscoringrule_switch", args=[repeat_client.pk])
    assert browse(manager).post(address, {"is_active": "perhaps"}).status_code == 400


def test_how_many_leads_match_is_asked_by_itself(browse, manager, make_lead, repeat_client):
    """The list links to the counts and does not count."""
    make_lead(is_repeat=True)
    LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="many")
    link = f'<a href="{MATCHES}" data-matches="{repeat_client.pk}">Count</a>'
    with CaptureQueriesContext(connection) as captured:
        assert link in text(browse(manager).get(LIST))
    assert [query["sql"] for query in captured if '"leads"' in query["sql"]] == []
    page = text(browse(manager).get(MATCHES))
    assert f'<td class="number" id="matches-{repeat_client.pk}">1</td>' in page
    assert page.count(">–</td>") == 1


def test_a_new_rule_is_rehearsed_and_not_saved(browse, manager, rep, make_lead):
    make_lead(assigned_to=rep, accessible_seats=2, company_name="Harbor Tours")
    page = text(browse(manager).post(PREVIEW, FORM))
    assert "<strong>1</strong> of 1 open lead gets another score" in page
    assert "<strong>1</strong> lead becomes hot (50 points or more)" in page
    assert "Harbor Tours</a>" in page
    assert "Wheelchairs +55" in page
    assert (LeadScoringRule.objects.count(), ScoringRun.objects.count()) == (8, 0)


def test_a_changed_rule_is_rehearsed_in_the_place_of_itself(browse, manager, make_lead):
    make_lead(is_repeat=True, score=30)
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    values = {name: getattr(rule, name) for name in FORM if getattr(rule, name) not in (None, False)}
    page = text(browse(manager).post(f"{PREVIEW}?rule={rule.pk}", values | {"points": "20"}))
    assert "<strong>1</strong> of 1 open lead gets another score" in page
    rule.refresh_from_db()
    assert rule.points == 30


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"points": "101"}, "Enter a number of points from −100 to 100."),
        ({"condition_value": "many"}, "Enter a whole number."),
        ({"rule_name": "Repeat Client"}, "already exists"),
    ],
)
def test_what_can_not_be_saved_says_why(browse, manager, wrong, why):
    page = text(browse(manager).post(PREVIEW, FORM | wrong))
    assert "This rule can't be saved yet." in page
    assert why in page


def test_one_rule_too_many_says_so(browse, manager):
    values = {name: FORM[name] for name in FORM if FORM[name] and name != "is_active"}
    LeadScoringRule.objects.bulk_create(
        LeadScoringRule(**values | {"rule_name": f"Rule no. {number}"}) for number in range(192)
    )
    assert "At most 200 rules can be active." in text(browse(manager).post(PREVIEW, FORM))


def test_both_pages_are_for_managers(browse, rep, manager):
    assert browse(rep).post(PREVIEW, FORM).status_code == browse(rep).get(MATCHES).status_code == 403
    assert browse(manager).get(PREVIEW).status_code == 405


def test_the_form_leads_to_its_preview(browse, manager):
    rule = LeadScoringRule.objects.first()
    page = text(browse(manager).get(reverse("admin:sales_leadscoringrule_change", args=[rule.pk])))
    assert f'formaction="{PREVIEW}?rule={rule.pk}" formtarget="preview"' in page


def test_the_list_of_runs_renews_itself_while_one_is_under_way(browse, admin):
    runs = reverse("admin:sales_scoringrun_changelist")
    ScoringRun.objects.create(rule_set_version=1, state="done", total=4, processed=4)
    refresh = '<meta http-equiv="refresh" content="2">'
    assert refresh not in text(browse(admin).get(runs))
    ScoringRun.objects.create(rule_set_version=1, state="running", total=10, processed=3)
    page = text(browse(admin).get(runs))
    assert refresh in page
    assert '<progress max="10" value="3" aria-label="Leads scored"></progress> 3 of 10' in page
