"""No page of the admin takes more queries with more rows. (Who may open which page: tests/rights.)"""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sales.admin.base import BoundedPaginator
from sales.models import FollowUp, LeadScoringRule
from sales.services import activities
from sales.services.leads import search_index
from tests.sales.admin.eventful_lead import create_eventful_lead


def get_url(label, name, *args):
    return reverse(f"admin:{label.lower().replace('.', '_')}_{name}", args=args)


def test_a_lead_page_shows_the_whole_lead_in_a_constant_number_of_queries(browse, rep, colleague, manager):
    lead, client = create_eventful_lead(rep, colleague, manager), browse(rep)
    query_counts, pages = [], []
    url = get_url("sales.Lead", "change", lead.pk)
    client.get(url)
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            pages.append(client.get(url).content.decode())
        query_counts.append(len(captured))
        for _ in range(15):
            activities.log(by=rep, lead_id=lead.pk, activity_type="note", notes="<b>bold</b>")
            FollowUp.objects.create(lead=lead, follow_up_type="email", scheduled_date="2027-02-02", assigned_to=rep)
    assert query_counts[0] == query_counts[1] <= 20
    for text in (
        "Lead transferred from Maria to Tom",
        "Overdue",
        "Complete",
        "Activity: ",
        "Responded to Email",
        "What would add points",
        "Number of passengers: is more than 50",
    ):
        assert text in pages[0]
    assert "&lt;b&gt;bold" in pages[1]
    assert "<b>bold" not in pages[1]


def test_a_salesperson_sees_nothing_of_another_teams_lead(browse, rep, stranger, make_lead):
    own, strangers = make_lead(assigned_to=rep), make_lead(assigned_to=stranger, company_name="Secret Choir")
    strangers_follow_up = FollowUp.objects.create(
        lead=strangers, follow_up_type="call", scheduled_date="2027-01-01", assigned_to=stranger
    )
    activities.log(by=stranger, lead_id=strangers.pk, activity_type="note", notes="x")
    client = browse(rep)
    for label in ("sales.Lead", "sales.FollowUp", "sales.Activity", "sales.FieldChange", "sales.LeadTransfer"):
        assert "Secret Choir" not in client.get(get_url(label, "changelist")).content.decode()
    assert client.get(get_url("sales.Lead", "change", own.pk)).status_code == 200
    for url in (
        get_url("sales.Lead", "change", strangers.pk),
        get_url("sales.Lead", "history", strangers.pk),
        get_url("sales.FollowUp", "change", strangers_follow_up.pk),
    ):
        assert client.get(url).status_code == 302  # to the index, with "it may have been deleted"
    assert client.get(reverse("admin:sales_followup_complete", args=[strangers_follow_up.pk])).status_code == 404
    response = client.get("/admin/autocomplete/?app_label=sales&model_name=followup&field_name=lead&term=choir")
    assert response.json()["results"] == []
    assert "Otto" not in client.get(get_url("sales.Lead", "changelist")).content.decode()


@pytest.mark.parametrize(
    "query", ["?owner=x", "?owner=999", "?plan=x", "?score_band=x", "?archived=yes", "?q=%00", "?q=école"]
)
def test_unknown_parameters_of_a_list_do_no_harm(browse, rep, make_lead, query):
    make_lead(assigned_to=rep, archived_at=timezone.now())
    response = browse(rep).get(get_url("sales.Lead", "changelist") + query)
    assert response.status_code in (200, 302)
    assert LeadScoringRule.objects.count() == 8


def test_a_list_counts_rows_only_up_to_a_limit(browse, rep, make_lead, monkeypatch):
    monkeypatch.setattr(BoundedPaginator, "MAX_ROWS", 3)
    client, counts = browse(rep), []
    for _ in range(5):
        make_lead(assigned_to=rep)
        page = client.get(get_url("sales.Lead", "changelist")).content.decode()
        counts.append(re.search(r"\d\+? leads?\b", page)[0])
    assert counts == ["1 lead", "2 leads", "3 leads", "3+ leads", "3+ leads"]


def test_one_duplicate_takes_as_many_queries_as_many(browse, rep, colleague, make_lead):
    client, query_counts = browse(rep), []
    lead = make_lead(assigned_to=rep, company_name="Lewiston School Band")
    search_index.index_leads([lead])
    for lead_count in (1, 8):
        search_index.index_leads(
            [make_lead(assigned_to=colleague, company_name="Lewiston School Bands") for _ in range(lead_count)]
        )
        with CaptureQueriesContext(connection) as captured:
            response = client.get(get_url("sales.Lead", "change", lead.pk))
        query_counts.append(len(captured))
    assert len(response.context["duplicates"]) == 9
    assert query_counts[0] == query_counts[1]


def test_the_change_button_opens_the_form_for_users_who_may_change_the_lead(browse, rep, colleague, make_lead):
    url = get_url("sales.Lead", "change", make_lead(assigned_to=rep).pk)
    form = '<details class="edit" id="change"'
    assert f"{form}>" in browse(rep).get(url).content.decode()
    assert f"{form} open>" in browse(rep).get(f"{url}?change").content.decode()
    assert 'href="?change#change"' in browse(rep).get(url).content.decode()
    assert 'href="?change#change"' not in browse(colleague).get(url).content.decode()
