"""The list of follow-ups in the admin: filters, order, counts and links."""

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
def plan(make_lead, rep):
    def make(days=0, assignee=rep, name="Harbor Choir", **fields):
        lead = make_lead(company_name=name, assigned_to=assignee, phone="+1 212 555 0100", score=60)
        day = local_today(assignee) + timedelta(days=days)
        return FollowUp.objects.create(
            lead=lead, assigned_to=assignee, **{"follow_up_type": "call", "scheduled_date": day} | fields
        )

    return make


def list_ids(client, query=""):
    answer = client.get(LIST + query)
    assert answer.status_code == 200, answer.get("Location")
    return [row.pk for row in answer.context["cl"].result_list]


def get_page(client, query=""):
    """The list's HTML, with one space for each run of white space and none inside the ends of tags."""
    page = unescape(client.get(LIST + query).content.decode())
    return re.sub(r" ?([<>]) ?", r"\1", re.sub(r"\s+", " ", page))


def test_open_follow_ups_are_listed_first_in_order_of_date_and_time(browse, rep, plan):
    completed = plan(completed=True, completed_at="2026-01-01T00:00Z", outcome="no_answer")
    canceled = plan(cancelled_at="2026-01-01T00:00Z")
    late, early = plan(0, scheduled_time=time(15)), plan(0, scheduled_time=time(8))
    untimed, overdue, tomorrow = plan(0), plan(-3), plan(1)
    client = browse(rep)

    assert (
        list_ids(client) == list_ids(client, "?state=open") == [overdue.pk, early.pk, untimed.pk, late.pk, tomorrow.pk]
    )
    assert list_ids(client, "?state=completed") == list_ids(client, "?outcome=no_answer") == [completed.pk]
    assert list_ids(client, "?state=cancelled") == [canceled.pk]
    assert list_ids(client, "?state=all")[0] == tomorrow.pk
    assert len(list_ids(client, "?state=all")) == 7


def test_the_more_links_of_the_home_page_lead_to_the_rows_that_they_count(browse, rep, colleague, plan, monkeypatch):
    monkeypatch.setattr(home, "MAX_TASKS", 2)
    for days in (-9, -1, 0, 1, 7, 8):
        for user in (rep, colleague):
            for number in range(3):
                plan(days, user, name=f"{user} {days} {number}")
    archived = plan(0)
    archived.lead.archived_at = "2026-01-01T00:00Z"
    archived.lead.save()
    client = browse(rep)
    day = client.get("/admin/").context["home"].day
    sections = {"overdue": day.overdue, "today": day.today, "coming": day.coming}
    page = unescape(client.get("/admin/").content.decode())
    more_links = dict(re.findall(r'href="([^"]+)">(\d+) more<', page))

    assert {parse_qs(urlsplit(link).query)["day"][0]: int(count) for link, count in more_links.items()} == {
        name: section.hidden_count for name, section in sections.items()
    }

    for link in more_links:
        name = parse_qs(urlsplit(link).query)["day"][0]
        listed = list_ids(client, f"?{urlsplit(link).query}")
        assert len(listed) == sections[name].count
        assert listed[:2] == [row.pk for row in sections[name].rows]


def test_a_manager_filters_by_person(browse, manager, rep, colleague, plan):
    marias, toms = plan(0), plan(0, colleague)
    client = browse(manager)
    assert list_ids(client, "?day=today") == [marias.pk, toms.pk]
    assert list_ids(client, f"?day=today&whose={colleague.pk}") == [toms.pk]
    assert list_ids(client, "?whose=me") == []

    page = get_page(client, f"?whose={colleague.pk}")
    assert f'<option value="{colleague.pk}" selected>Tom</option>' in page
    assert f'href="?day=today&whose={colleague.pk}">Today<strong>1</strong>' in page
    assert "Today<strong>2</strong>" in get_page(client)


@pytest.mark.parametrize("page", [f"{LIST}?whose=", "/admin/sales/lead/?owner="])
@pytest.mark.parametrize("invalid_id", ["²", "x", "9" * 30, "0"])
def test_an_invalid_user_id_is_ignored(browse, rep, page, invalid_id):
    answer = browse(rep).get(page + invalid_id)
    assert answer.status_code == 302
    assert answer["Location"] == f"{page.partition('?')[0]}?e=1"


def test_the_counts_equal_the_lengths_of_the_linked_lists(browse, manager, rep, stranger, plan):
    for days in range(-8, 16):
        plan(days)
    plan(0, stranger)
    client = browse(manager)
    week = local_today(rep) + timedelta(days=7)
    for query in ("", f"?day={week}", "?day=overdue"):
        counts = re.findall(r'href="(\?day=[^"]+)"[^>]*>[^<]+<strong[^>]*>(\d+)<', get_page(client, query))
        assert len(counts) == 11
        assert {link: len(list_ids(client, link)) for link, _ in counts} == {link: int(count) for link, count in counts}


def test_invisible_follow_ups_are_not_counted(browse, stranger, plan):
    for days in (0, -2):
        plan(days)
    page = get_page(browse(stranger), "?whose=1")
    assert re.findall(r"<strong[^>]*>(\d+)</strong>", page.partition('aria-label="Days"')[2]) == ["0"] * 11
    assert "Harbor Choir" not in get_page(browse(stranger), "?state=all")


@pytest.mark.parametrize("day", ["yesterday", "2026-W60", "9999-12-31", "²"])
def test_an_invalid_day_is_ignored(browse, rep, plan, day):
    plan()
    answer = browse(rep).get(f"{LIST}?day={day}")
    assert answer.status_code == 302
    assert answer["Location"] == f"{LIST}?e=1"
    assert len(list_ids(browse(rep), "?e=1")) == 1


def test_a_row_shows_the_time_the_notes_and_the_phone_number(browse, rep, plan):
    plan(0, scheduled_time=time(15, 30), notes="Ask <b>when</b>")
    for days in (-1, 1, 2):
        plan(days)
    client = browse(rep)
    page = client.get(LIST).content.decode()
    for fragment in (
        '"due due-overdue">Overdue<',
        '"due due-today">Today<',
        ">Tomorrow<",
        ", 15:30<",
        "Ask &lt;b&gt;when&lt;",
        'href="tel:+1 212 555 0100"',
        '<span class="score hot">60</span>',
    ):
        assert fragment in page, fragment

    assert page.count('class="due ') == 3
    assert len(re.findall(r">Complete …<", page)) == 4


def test_after_completing_the_user_returns_to_the_list(browse, rep, colleague, plan):
    own, client = plan(0), browse(rep)
    plan(0, colleague)
    page = get_page(client, "?day=today")
    (link,) = re.findall(r'href="([^"]+)">Complete …<', page)
    form = client.get(link).content.decode()

    assert 'name="next" value="/admin/sales/followup/?day=today"' in form

    answer = client.post(link, {"outcome": "successful", "no_next_reason": "They call us", "next": f"{LIST}?day=today"})
    assert answer.status_code == 302
    assert answer["Location"] == f"{LIST}?day=today"

    own.refresh_from_db()
    assert own.completed

    again = client.post(link, {"outcome": "", "next": f"{LIST}?day=today"}).content.decode()
    assert 'name="next" value="/admin/sales/followup/?day=today"' in again


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(browse, manager, rep, make_user, desk, plan):
    counts = {}
    for row_count in (1, 30):
        for number in range(row_count):
            days = number % 9 - 4
            plan(days)
            plan(days, make_user(f"seller{row_count}{number}", team=desk))
        for user in (manager, rep):
            for query in ("", "?day=today", "?day=coming&whose=me", "?day=2026-W49"):
                client = browse(user)
                with CaptureQueriesContext(connection) as captured:
                    assert client.get(LIST + query).status_code == 200
                counts.setdefault(query, set()).add(len(captured))
    assert counts == {"": {9}, "?day=today": {10}, "?day=coming&whose=me": {10}, "?day=2026-W49": {10}}
