"""The list of follow-ups: a plan by day, in the order in which things should be done."""

import re
from datetime import time, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athena.accounts.models import local_today
from sales.models import FollowUp
from sales.templatetags import home

LIST = "/admin/sales/followup/"


@pytest.fixture
def task(make_lead, rep):
    def make(days=0, assignee=rep, name="Harbor Choir", **fields):
        lead = make_lead(company_name=name, assigned_to=assignee, phone="+1 212 555 0100", score=60)
        day = local_today(assignee) + timedelta(days=days)
        return FollowUp.objects.create(
            lead=lead, assigned_to=assignee, **{"follow_up_type": "call", "scheduled_date": day} | fields
        )

    return make


def rows(client, query=""):
    answer = client.get(LIST + query)
    assert answer.status_code == 200, answer.get("Location")
    return [row.pk for row in answer.context["cl"].result_list]


def text(client, query=""):
    """The list's HTML, with one space for each run of white space and none inside the ends of tags."""
    page = unescape(client.get(LIST + query).content.decode())
    return re.sub(r" ?([<>]) ?", r"\1", re.sub(r"\s+", " ", page))


def test_it_begins_with_what_is_to_be_done_first_things_first(browse, rep, task):
    done = task(completed=True, completed_at="2026-01-01T00:00Z", outcome="no_answer")
    gone = task(cancelled_at="2026-01-01T00:00Z")
    late, early = task(0, scheduled_time=time(15)), task(0, scheduled_time=time(8))
    untimed, overdue, tomorrow = task(0), task(-3), task(1)
    client = browse(rep)
    assert rows(client) == rows(client, "?state=open") == [overdue.pk, early.pk, untimed.pk, late.pk, tomorrow.pk]
    assert rows(client, "?state=completed") == rows(client, "?outcome=no_answer") == [done.pk]
    assert rows(client, "?state=cancelled") == [gone.pk]
    assert rows(client, "?state=all")[0] == tomorrow.pk
    assert len(rows(client, "?state=all")) == 7


def test_the_links_of_the_home_page_lead_to_the_rows_that_they_promise(browse, rep, colleague, task, monkeypatch):
    monkeypatch.setattr(home, "MAX_TASKS", 2)
    for days in (-9, -1, 0, 1, 7, 8):
        for who in (rep, colleague):
            for number in range(3):
                task(days, who, name=f"{who} {days} {number}")
    archived = task(0)
    archived.lead.archived_at = "2026-01-01T00:00Z"
    archived.lead.save()
    client = browse(rep)
    day = client.get("/admin/").context["home"].day
    shelves = {"overdue": day.overdue, "today": day.today, "coming": day.coming}
    page = unescape(client.get("/admin/").content.decode())
    found = dict(re.findall(r'href="([^"]+)">(\d+) more<', page))
    assert {parse_qs(urlsplit(link).query)["day"][0]: int(more) for link, more in found.items()} == {
        name: shelf.hidden_count for name, shelf in shelves.items()
    }
    for link in found:
        name = parse_qs(urlsplit(link).query)["day"][0]
        listed = rows(client, f"?{urlsplit(link).query}")
        assert (len(listed), listed[:2]) == (shelves[name].count, [row.pk for row in shelves[name].rows])


def test_a_manager_looks_at_one_persons_week(browse, manager, rep, colleague, task):
    hers, his = task(0), task(0, colleague)
    client = browse(manager)
    assert rows(client, "?day=today") == [hers.pk, his.pk]
    assert rows(client, f"?day=today&whose={colleague.pk}") == [his.pk]
    assert rows(client, "?whose=me") == []
    page = text(client, f"?whose={colleague.pk}")
    assert f'<option value="{colleague.pk}" selected>Tom</option>' in page
    assert f'href="?day=today&whose={colleague.pk}">Today<strong>1</strong>' in page
    assert "Today<strong>2</strong>" in text(client)


@pytest.mark.parametrize("page", [f"{LIST}?whose=", "/admin/sales/lead/?owner="])
@pytest.mark.parametrize("nobody", ["²", "x", "9" * 30, "0"])
def test_what_is_no_id_is_nobody(browse, rep, page, nobody):
    answer = browse(rep).get(page + nobody)
    assert (answer.status_code, answer["Location"]) == (302, f"{page.partition('?')[0]}?e=1")


def test_the_counts_are_those_of_the_lists_behind_them(browse, manager, rep, stranger, task):
    for days in range(-8, 16):
        task(days)
    task(0, stranger)
    client = browse(manager)
    week = local_today(rep) + timedelta(days=7)
    for query in ("", f"?day={week}", "?day=overdue"):
        tallies = re.findall(r'href="(\?day=[^"]+)"[^>]*>[^<]+<strong[^>]*>(\d+)<', text(client, query))
        assert len(tallies) == 11
        assert {link: len(rows(client, link)) for link, _ in tallies} == {link: int(n) for link, n in tallies}


def test_nobody_counts_a_strangers_follow_ups(browse, stranger, task):
    task(0), task(-2)
    page = text(browse(stranger), "?whose=1")
    assert re.findall(r"<strong[^>]*>(\d+)</strong>", page.partition('aria-label="Days"')[2]) == ["0"] * 11
    assert "Harbor Choir" not in text(browse(stranger), "?state=all")


@pytest.mark.parametrize("day", ["yesterday", "2026-W60", "9999-12-31", "²"])
def test_what_is_no_day_shows_the_list(browse, rep, task, day):
    task()
    answer = browse(rep).get(f"{LIST}?day={day}")
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")
    assert len(rows(browse(rep), "?e=1")) == 1


def test_a_row_says_when_what_and_whom_to_call(browse, rep, task):
    task(0, scheduled_time=time(15, 30), notes="Ask <b>when</b>"), task(-1), task(1), task(2)
    client = browse(rep)
    page = client.get(LIST).content.decode()
    for said in ('"due due-overdue">Overdue<', '"due due-today">Today<', ">Tomorrow<", ", 15:30<",
                 "Ask &lt;b&gt;when&lt;", 'href="tel:+1 212 555 0100"',
                 '<span class="score hot">60</span>'):  # fmt: skip
        assert said in page, said
    assert page.count('class="due ') == 3
    assert len(re.findall(r">Complete …<", page)) == 4


def test_done_leads_back_to_the_list(browse, rep, colleague, task):
    mine, client = task(0), browse(rep)
    task(0, colleague)
    page = text(client, "?day=today")
    (link,) = re.findall(r'href="([^"]+)">Complete …<', page)
    form = client.get(link).content.decode()
    assert 'name="next" value="/admin/sales/followup/?day=today"' in form
    answer = client.post(link, {"outcome": "successful", "no_next_reason": "They call us", "next": f"{LIST}?day=today"})
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?day=today")
    mine.refresh_from_db()
    assert mine.completed
    again = client.post(link, {"outcome": "", "next": f"{LIST}?day=today"}).content.decode()
    assert 'name="next" value="/admin/sales/followup/?day=today"' in again


def test_it_costs_the_same_for_one_row_and_for_many(browse, manager, rep, make_user, desk, task):
    counts = {}
    for many in (1, 30):
        for number in range(many):
            task(number % 9 - 4), task(number % 9 - 4, make_user(f"seller{many}{number}", team=desk))
        for who in (manager, rep):
            for query in ("", "?day=today", "?day=coming&whose=me", "?day=2026-W49"):
                client = browse(who)
                with CaptureQueriesContext(connection) as captured:
                    assert client.get(LIST + query).status_code == 200
                counts.setdefault(query, set()).add(len(captured))
    assert counts == {"": {9}, "?day=today": {10}, "?day=coming&whose=me": {10}, "?day=2026-W49": {10}}
