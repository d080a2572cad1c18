"""The pages of the admin: nothing costs more with more rows. (Who opens which: tests/rights.)"""

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


def page(label, name, *args):
    return reverse(f"admin:{label.lower().replace('.', '_')}_{name}", args=args)


def test_a_lead_page_shows_its_story_at_a_constant_cost(browse, rep, colleague, manager):
    lead, client, counts, pages = create_eventful_lead(rep, colleague, manager), browse(rep), [], []
    url = page("sales.Lead", "change", lead.pk)
    client.get(url)
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            pages.append(client.get(url).content.decode())
        counts.append(len(captured))
        for _ in range(15):
            activities.log(by=rep, lead_id=lead.pk, activity_type="note", notes="<b>bold</b>")
            FollowUp.objects.create(lead=lead, follow_up_type="email", scheduled_date="2027-02-02", assigned_to=rep)
    assert counts[0] == counts[1] <= 20
    for shown in (
        "Lead transferred from Maria to Tom",
        "Overdue",
        "Complete",
        "Activity: ",
        "Responded to Email",
        "What would add points",
        "Number of passengers: is more than 50",
    ):
        assert shown in pages[0]
    assert ("&lt;b&gt;bold" in pages[1], "<b>bold" in pages[1]) == (True, False)


def test_a_rep_sees_no_more_than_the_api_shows(browse, rep, stranger, make_lead):
    own, foreign = make_lead(assigned_to=rep), make_lead(assigned_to=stranger, company_name="Secret Choir")
    theirs = FollowUp.objects.create(
        lead=foreign, follow_up_type="call", scheduled_date="2027-01-01", assigned_to=stranger
    )
    activities.log(by=stranger, lead_id=foreign.pk, activity_type="note", notes="x")
    client = browse(rep)
    for label in ("sales.Lead", "sales.FollowUp", "sales.Activity", "sales.FieldChange", "sales.LeadTransfer"):
        assert "Secret Choir" not in client.get(page(label, "changelist")).content.decode()
    assert client.get(page("sales.Lead", "change", own.pk)).status_code == 200
    for url in (
        page("sales.Lead", "change", foreign.pk), page("sales.Lead", "history", foreign.pk),
        page("sales.FollowUp", "change", theirs.pk),
    ):  # fmt: skip
        assert client.get(url).status_code == 302  # to the index, with "it may have been deleted"
    assert client.get(reverse("admin:sales_followup_complete", args=[theirs.pk])).status_code == 404
    response = client.get("/admin/autocomplete/?app_label=sales&model_name=followup&field_name=lead&term=choir")
    assert response.json()["results"] == []
    filters = client.get(page("sales.Lead", "changelist")).content.decode()
    assert "Otto" not in filters


@pytest.mark.parametrize(
    "query", ["?owner=x", "?owner=999", "?plan=x", "?score_band=x", "?archived=yes", "?q=%00", "?q=école"]
)
def test_odd_parameters_do_no_harm(browse, rep, make_lead, query):
    make_lead(assigned_to=rep, archived_at=timezone.now())
    response = browse(rep).get(page("sales.Lead", "changelist") + query)
    assert response.status_code in (200, 302)
    assert LeadScoringRule.objects.count() == 8


def test_no_more_is_counted_than_anybody_leafs_through(browse, rep, make_lead, monkeypatch):
    monkeypatch.setattr(BoundedPaginator, "MAX_ROWS", 3)
    client, said = browse(rep), []
    for _ in range(5):
        make_lead(assigned_to=rep)
        said.append(re.search(r"\d\+? leads?\b", client.get(page("sales.Lead", "changelist")).content.decode())[0])
    assert said == ["1 lead", "2 leads", "3 leads", "3+ leads", "3+ leads"]


def test_matches_of_a_lead_cost_the_same_for_one_and_for_many(browse, rep, colleague, make_lead):
    client, counts = browse(rep), []
    lead = make_lead(assigned_to=rep, company_name="Lewiston School Band")
    search_index.index_leads([lead])
    for lead_count in (1, 8):
        search_index.index_leads(
            [make_lead(assigned_to=colleague, company_name="Lewiston School Bands") for _ in range(lead_count)]
        )
        with CaptureQueriesContext(connection) as captured:
            response = client.get(page("sales.Lead", "change", lead.pk))
        counts.append(len(captured))
    assert len(response.context["duplicates"]) == 9
    assert counts[0] == counts[1]


def test_the_button_opens_the_form(browse, rep, colleague, make_lead):
    url = page("sales.Lead", "change", make_lead(assigned_to=rep).pk)
    form = '<details class="edit" id="change"'
    assert f"{form}>" in browse(rep).get(url).content.decode()
    assert f"{form} open>" in browse(rep).get(f"{url}?change").content.decode()
    assert ['href="?change#change"' in browse(who).get(url).content.decode() for who in (rep, colleague)] == [
        True,
        False,
    ]
