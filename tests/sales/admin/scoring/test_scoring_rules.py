"""Scoring rules and runs in the admin: the list with its switch and counts, the preview, and the list of runs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sales.models import LeadScoringRule, ScoringRun

LIST = reverse("admin:sales_leadscoringrule_changelist")
PREVIEW = reverse("admin:sales_leadscoringrule_preview")
MATCHES = reverse("admin:sales_leadscoringrule_matches")
RUNS = reverse("admin:sales_scoringrun_changelist")
FORM = {
    "rule_name": "Wheelchairs",
    "rule_type": "attribute",
    "condition_field": "accessible_seats",
    "condition_operator": "at_least",
    "condition_value": "1",
    "points": "55",
    "is_active": "on",
    "within_days": "",
    "half_life_days": "",
    "group": "",
}
REFRESH = '<meta http-equiv="refresh" content="2">'


def read_page(response, status=200):
    assert response.status_code == status
    return " ".join(response.content.decode().split())


@pytest.fixture
def repeat_client(db):
    return LeadScoringRule.objects.get(rule_name="Repeat Client")


def test_the_list_marks_an_invalid_rule(browse, manager):
    LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="many")

    page = read_page(browse(manager).get(LIST))

    assert page.count('<span class="overdue">Invalid</span>: Enter a whole number.') == 1


class TestSwitch:
    @pytest.fixture
    def switch_url(self, repeat_client):
        return reverse("admin:sales_leadscoringrule_switch", args=[repeat_client.pk])

    @pytest.fixture
    def switch(self, browse, manager, switch_url):
        """Posts what the list's button posts, and follows; returns the response."""

        def post(state, url=switch_url, **values):
            return browse(manager).post(url, {"is_active": state, **values}, follow=True)

        return post

    def get_messages(self, response):
        return [str(message) for message in response.context["messages"]]

    def read_button_values(self, browse, manager, switch_url):
        page = read_page(browse(manager).get(LIST))
        buttons = {state: f'formaction="{switch_url}" name="is_active" value="{state}"' for state in ("on", "off")}
        return [state for state, button in buttons.items() if button in page]

    def test_the_button_of_an_active_rule_switches_it_off(self, browse, manager, switch_url):
        assert self.read_button_values(browse, manager, switch_url) == ["off"]

    def test_a_rule_is_switched_off_and_a_run_starts(self, switch, browse, manager, repeat_client, switch_url):
        response = switch("off", next=f"{LIST}?q=Repeat")

        run = f'<a href="{RUNS}">A scoring run</a>'
        assert response.redirect_chain == [(f"{LIST}?q=Repeat", 302)]
        assert self.get_messages(response) == [f"“Repeat Client” is off. {run} over all open leads has started."]
        repeat_client.refresh_from_db()
        assert not repeat_client.is_active
        assert list(ScoringRun.objects.values_list("reason", flat=True)) == ["Rule changed: Repeat Client"]
        assert self.read_button_values(browse, manager, switch_url) == ["on"]

    def test_other_rules_stay_as_they_are(self, switch):
        switch("off")

        assert LeadScoringRule.objects.filter(is_active=True).count() == 7

    def test_a_rule_that_is_on_already_starts_no_run(self, switch):
        response = switch("on")

        assert response.redirect_chain == [(LIST, 302)]
        assert self.get_messages(response) == ["“Repeat Client” is on."]
        assert ScoringRun.objects.count() == 0

    def test_a_rule_that_does_not_exist_is_an_error(self, switch):
        response = switch("off", url=reverse("admin:sales_leadscoringrule_switch", args=[0]))

        assert response.redirect_chain == [(LIST, 302)]
        assert self.get_messages(response) == ["The rule can't be switched off: There is no such rule."]

    def test_an_invalid_rule_can_not_be_switched_on(self, switch, repeat_client):
        LeadScoringRule.objects.filter(pk=repeat_client.pk).update(condition_value="many", is_active=False)

        response = switch("on")

        assert self.get_messages(response) == ["The rule can't be switched on: condition_value: Enter true or false."]

    def test_it_leads_to_no_other_site(self, switch):
        response = switch("on", next="https://elsewhere.example/")

        assert response.redirect_chain == [(LIST, 302)]

    def test_other_values_than_on_and_off_are_refused(self, browse, manager, switch_url):
        assert browse(manager).post(switch_url, {"is_active": "perhaps"}).status_code == 400


class TestCounts:
    def test_the_list_links_to_them_and_reads_no_leads(self, browse, manager, make_lead, repeat_client):
        make_lead(is_repeat=True)

        with CaptureQueriesContext(connection) as captured:
            page = read_page(browse(manager).get(LIST))

        assert f'<a href="{MATCHES}" data-matches="{repeat_client.pk}">Count</a>' in page
        assert [query["sql"] for query in captured if '"leads"' in query["sql"]] == []

    def test_a_page_of_their_own_shows_them(self, browse, manager, make_lead, repeat_client):
        make_lead(is_repeat=True)
        LeadScoringRule.objects.filter(rule_name="Large Group Size").update(condition_value="many")

        page = read_page(browse(manager).get(MATCHES))

        assert f'<td class="number" id="matches-{repeat_client.pk}">1</td>' in page
        assert page.count(">–</td>") == 1

    def test_they_are_for_managers(self, browse, rep):
        assert browse(rep).get(MATCHES).status_code == 403


class TestPreview:
    def test_a_new_rule_is_previewed_and_not_saved(self, browse, manager, rep, make_lead):
        make_lead(assigned_to=rep, accessible_seats=2, company_name="Harbor Tours")

        page = read_page(browse(manager).post(PREVIEW, FORM))

        assert "<strong>1</strong> of 1 open lead gets another score" in page
        assert "<strong>1</strong> lead becomes hot (50 points or more)" in page
        assert "Harbor Tours</a>" in page
        assert "Wheelchairs +55" in page
        assert LeadScoringRule.objects.count() == 8
        assert ScoringRun.objects.count() == 0

    def test_a_changed_rule_takes_its_own_place(self, browse, manager, make_lead, repeat_client):
        make_lead(is_repeat=True, score=30)
        values = {
            name: getattr(repeat_client, name) for name in FORM if getattr(repeat_client, name) not in (None, False)
        }

        response = browse(manager).post(f"{PREVIEW}?rule={repeat_client.pk}", values | {"points": "20"})

        assert "<strong>1</strong> of 1 open lead gets another score" in read_page(response)
        repeat_client.refresh_from_db()
        assert repeat_client.points == 30

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"points": "101"}, "Enter a number of points from −100 to 100."),
            ({"condition_value": "many"}, "Enter a whole number."),
            ({"rule_name": "Repeat Client"}, "already exists"),
        ],
    )
    def test_it_says_why_a_rule_can_not_be_saved(self, browse, manager, values, message):
        page = read_page(browse(manager).post(PREVIEW, FORM | values))

        assert "This rule can't be saved yet." in page
        assert message in page

    def test_it_says_that_there_are_too_many_active_rules(self, browse, manager):
        values = {name: value for name, value in FORM.items() if value and name != "is_active"}
        LeadScoringRule.objects.bulk_create(
            LeadScoringRule(**values | {"rule_name": f"Rule no. {number}"}) for number in range(192)
        )

        page = read_page(browse(manager).post(PREVIEW, FORM))

        assert "At most 200 rules can be active." in page

    def test_the_form_leads_to_it(self, browse, manager, repeat_client):
        page = read_page(browse(manager).get(reverse("admin:sales_leadscoringrule_change", args=[repeat_client.pk])))

        assert f'formaction="{PREVIEW}?rule={repeat_client.pk}" formtarget="preview"' in page

    def test_it_is_for_managers(self, browse, rep):
        assert browse(rep).post(PREVIEW, FORM).status_code == 403

    def test_it_takes_a_form_only(self, browse, manager):
        assert browse(manager).get(PREVIEW).status_code == 405


class TestListOfRuns:
    def test_it_does_not_reload_when_all_runs_are_done(self, browse, admin):
        ScoringRun.objects.create(rule_set_version=1, state="done", total=4, processed=4)

        assert REFRESH not in read_page(browse(admin).get(RUNS))

    def test_it_reloads_and_shows_the_progress_of_a_run(self, browse, admin):
        ScoringRun.objects.create(rule_set_version=1, state="running", total=10, processed=3)

        page = read_page(browse(admin).get(RUNS))

        assert REFRESH in page
        assert '<progress max="10" value="3" aria-label="Leads scored"></progress> 3 of 10' in page
