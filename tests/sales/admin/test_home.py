"""The home page: one's own day, a manager's team, and completing without leaving it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales.models import FollowUp

HOME = "/admin/"


@pytest.fixture
def task(make_lead, rep):
    lead = make_lead(company_name="Harbor Choir", contact_name="Ann Lee", assigned_to=rep, phone="+1 212 555 0100")
    return FollowUp.objects.create(
        lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2026-01-05", notes="Ask <b>when</b>"
    )


def test_a_salesperson_sees_their_tasks(browse, rep, task):
    page = browse(rep).get(HOME).content.decode()
    assert "Maria’s day" in page
    assert "Harbor Choir" in page
    assert "tel:+1 212 555 0100" in page
    assert "Ask &lt;b&gt;when&lt;/b&gt;" in page
    assert "The team today" not in page


def test_nobody_sees_a_strangers_leads_there(browse, stranger, other_desk, make_user, task):
    from athena.accounts.roles import Role

    for user in (stranger, make_user("boss", Role.MANAGER, other_desk)):
        assert "Harbor Choir" not in browse(user).get(HOME).content.decode()


def test_a_manager_sees_the_team_and_the_list_behind_each_number(browse, manager, task):
    client = browse(manager)
    page = client.get(HOME).content.decode()
    assert "The team today" in page
    assert "My own day" not in page  # they have nothing of their own
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:] if "?" in part.split('"')[0]]
    assert len(links) > 10
    for link in links:
        response = client.get(link)
        assert response.status_code == 200, (link, response.get("Location"))


def test_completing_leads_back_home(browse, rep, task):
    form = {
        "outcome": "no_answer",
        "notes": "Rang twice",
        "schedule_next": "on",
        "next_follow_up_days": "4",
        "next": HOME,
    }
    response = browse(rep).post(f"/admin/sales/followup/{task.pk}/complete/", form, follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert "Completed: Harbor Choir." in response.content.decode()
    task.refresh_from_db()
    assert (task.completed, task.outcome, task.outcome_notes) == (True, "no_answer", "Rang twice")
    assert FollowUp.objects.open().count() == 1


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_it_never_leads_elsewhere(browse, rep, task, elsewhere):
    form = {"outcome": "successful", "no_next_reason": "They call us", "next": elsewhere}
    response = browse(rep).post(f"/admin/sales/followup/{task.pk}/complete/", form)
    assert (response.status_code, response["Location"]) == (302, f"/admin/sales/lead/{task.lead_id}/change/")


def test_home_costs_the_same_for_one_row_and_for_many(browse, manager, rep, make_lead):
    counts = {}
    for lead_count in (1, 30):
        for number in range(lead_count):
            for who in (manager, rep):
                lead = make_lead(assigned_to=who, score=60, status="quoted")
                FollowUp.objects.create(
                    lead=lead, assigned_to=who, follow_up_type="call", scheduled_date=f"2026-01-{number % 28 + 1:02}"
                )
        for who in (manager, rep):
            client = browse(who)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(HOME).status_code == 200
            counts.setdefault(who.full_name, []).append(len(captured))
    assert counts == {"Manager": [20, 20], "Maria": [9, 9]}  # shelves that are empty are not asked for
