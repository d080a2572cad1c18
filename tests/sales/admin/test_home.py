"""The home page: the user's own day, a manager's team, and completing a follow-up without leaving it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athena.accounts.roles import Role
from sales.models import FollowUp

HOME = "/admin/"


@pytest.fixture
def follow_up(make_lead, rep):
    lead = make_lead(company_name="Harbor Choir", contact_name="Ann Lee", assigned_to=rep, phone="+1 212 555 0100")
    return FollowUp.objects.create(
        lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2026-01-05", notes="Ask <b>when</b>"
    )


def test_a_salesperson_sees_their_follow_ups(browse, rep, follow_up):
    page = browse(rep).get(HOME).content.decode()
    assert "Maria’s day" in page
    assert "Harbor Choir" in page
    assert "tel:+1 212 555 0100" in page
    assert "Ask &lt;b&gt;when&lt;/b&gt;" in page
    assert "The team today" not in page


def test_users_of_another_team_do_not_see_the_lead(browse, stranger, other_desk, make_user, follow_up):
    for user in (stranger, make_user("boss", Role.MANAGER, other_desk)):
        assert "Harbor Choir" not in browse(user).get(HOME).content.decode()


def test_a_manager_sees_the_team_and_may_open_the_list_behind_each_number(browse, manager, follow_up):
    client = browse(manager)
    page = client.get(HOME).content.decode()
    assert "The team today" in page
    assert "My own day" not in page  # the manager has no own leads and follow-ups
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:] if "?" in part.split('"')[0]]
    assert len(links) > 10
    for link in links:
        response = client.get(link)
        assert response.status_code == 200, (link, response.get("Location"))


def test_completing_leads_back_home(browse, rep, follow_up):
    form = {
        "outcome": "no_answer",
        "notes": "Rang twice",
        "schedule_next": "on",
        "next_follow_up_days": "4",
        "next": HOME,
    }
    response = browse(rep).post(f"/admin/sales/followup/{follow_up.pk}/complete/", form, follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert "Completed: Harbor Choir." in response.content.decode()
    follow_up.refresh_from_db()
    assert follow_up.completed is True
    assert follow_up.outcome == "no_answer"
    assert follow_up.outcome_notes == "Rang twice"
    assert FollowUp.objects.open().count() == 1


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_completing_never_redirects_to_another_site(browse, rep, follow_up, next_url):
    form = {"outcome": "successful", "no_next_reason": "They call us", "next": next_url}
    response = browse(rep).post(f"/admin/sales/followup/{follow_up.pk}/complete/", form)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/sales/lead/{follow_up.lead_id}/change/"


def test_home_takes_the_same_number_of_queries_for_one_row_and_for_many(browse, manager, rep, make_lead):
    query_counts = {}
    for lead_count in (1, 30):
        for number in range(lead_count):
            for user in (manager, rep):
                lead = make_lead(assigned_to=user, score=60, status="quoted")
                FollowUp.objects.create(
                    lead=lead, assigned_to=user, follow_up_type="call", scheduled_date=f"2026-01-{number % 28 + 1:02}"
                )
        for user in (manager, rep):
            client = browse(user)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(HOME).status_code == 200
            query_counts.setdefault(user.full_name, []).append(len(captured))
    assert query_counts == {"Manager": [20, 20], "Maria": [9, 9]}  # empty sections take no query
