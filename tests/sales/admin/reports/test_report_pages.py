"""The pages of the reports: the chart, the table, the file. (Their numbers: tests/sales/queries/reports.)"""

import csv
import html
import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from athena.formatting import format_percent
from sales.admin.reports.report_pages import FORMER_SLUGS
from sales.models import FollowUp, Lead, LeadScoringRule, LeadSource, SourceSpend
from sales.reports.registry import REPORTS
from sales.schedule import company_today
from tests.sales.admin.scoring.test_scoring_rules import read_page

ARRIVAL = {"created_at": "2026-05-10T12:00Z"}
every_report = pytest.mark.parametrize("slug", REPORTS)


def page(slug):
    return reverse("admin:report", args=[slug])


def read_file(response):
    """The rows of a CSV file, by column."""
    return list(csv.DictReader(response.content.decode("utf-8-sig").splitlines()))


@pytest.fixture
def fair(make_lead, rep):
    """A source with spend, a won lead and a lost lead."""
    source = LeadSource.objects.create(name="<Fair>")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=310)
    won = {"status": "won", "booked_value": 1200, "first_contacted_at": "2026-05-10T15:00Z"}
    lost = {"status": "lost", "lost_reason_id": "price", "closed_at": "2026-05-12T12:00Z"}
    make_lead(assigned_to=rep, source=source, **ARRIVAL, **won)
    make_lead(assigned_to=rep, source=source, **ARRIVAL, **lost)
    return source


@pytest.fixture
def activity_everywhere(fair, rep):
    """Something to report for every report: a completed and an overdue follow-up, and a lead that matches a rule."""
    lead = Lead.objects.get(status="won")
    done = {"completed": True, "completed_at": "2026-05-11T12:00Z", "outcome": "successful"}
    dates = {"scheduled_date": "2026-05-11", "first_scheduled_date": "2026-05-11"}
    FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="call", **dates, **done)
    FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="email", scheduled_date="2026-05-12")
    Lead.objects.filter(pk=lead.pk).update(is_repeat=True)


def test_source_roi(browse, manager, fair):
    content = read_page(browse(manager).get(page("source-roi") + "?start_date=2026-05-01&end_date=2026-05-10"))
    assert '<th scope="row"> &lt;Fair&gt; </th>' in content
    assert "<title>&lt;Fair&gt;: $1,200</title>" in content
    assert "<title>&lt;Fair&gt;: $100</title>" in content
    assert '<td class="number">1,100%</td>' in content  # (1200 - 100) / 100
    assert "start_date=2026-05-01&amp;end_date=2026-05-10&amp;format=csv" in content


@every_report
def test_the_form_offers_the_choices_of_the_report(browse, manager, activity_everywhere, slug):
    content = read_page(browse(manager).get(page(slug)))
    for field in ("start_date", "end_date", "team", "person", *REPORTS[slug].choices):
        assert f'name="{field}"' in content


def test_follow_up_performance(browse, manager, activity_everywhere):
    query = "?by=type&start_date=2026-05-11&end_date=2026-05-12"
    content = read_page(browse(manager).get(page("follow-up-performance") + query))
    cells = [f'<td class="number">{cell}</td>' for cell in ("1", "1", "0", "0", "100%", "100%", "0")]
    assert re.search(rf'<th scope="row"> Call </th>\s*{"".join(cells)}', content)
    assert "<strong>From Mon 11 May 2026 to Tue 12 May 2026.</strong>" in content


def test_rows_of_rules_lead_to_the_rule(browse, manager, activity_everywhere):
    content = read_page(browse(manager).get(page("rule-effectiveness")))
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    change = reverse("admin:sales_leadscoringrule_change", args=[rule.pk])
    cells = [f'<td class="number">{cell}</td>' for cell in ("1", "1", "100%", "1", "0%", "–", "–", "–")]
    verdict = '<td class="quiet">Too few leads to tell</td>'
    row = rf'<th scope="row"> <a href="{change}">Repeat Client</a> </th>\s*{"".join(cells)}{verdict}'
    assert re.search(row, content)


@every_report
def test_only_visible_teams_and_people_are_offered(
    browse, manager, admin, rep, leaver, stranger, activity_everywhere, slug
):
    form = browse(manager).get(page(slug)).context["form"]
    assert [str(team) for team in form.fields["team"].queryset] == ["Charter desk"]
    assert [label for _, label in form.fields["person"].choices] == ["Everybody", "Gone (has left)", "Manager", "Maria"]
    assert len(browse(admin).get(page(slug)).context["form"].fields["team"].queryset) == 2


@every_report
def test_an_address_that_names_others_shows_nothing(browse, manager, stranger, activity_everywhere, slug):
    for query in (f"person={stranger.pk}", f"team={stranger.team_id}", "person=x", f"team={10**20}"):
        content = read_page(browse(manager).get(f"{page(slug)}?{query}&format=csv"))
        assert "Select a valid choice." in content
        assert "<tfoot>" not in content


@every_report
def test_the_person_must_be_in_the_team(browse, admin, rep, stranger, activity_everywhere, slug):
    query = f"?team={stranger.team_id}&person={rep.pk}"
    assert "Maria is not in this team." in read_page(browse(admin).get(page(slug) + query))


@every_report
def test_a_team_or_a_person_narrows_the_report(browse, manager, rep, activity_everywhere, make_lead, slug):
    """Maria has everything and the manager nothing. The unassigned lead belongs to no team."""
    make_lead(status="lost", lost_reason_id="price", closed_at="2026-05-12T12:00Z")

    def read_totals(query):
        return browse(manager).get(f"{page(slug)}?{query}").context["totals"].cells

    maria = read_totals(f"person={rep.pk}")
    assert read_totals(f"team={rep.team_id}") == maria
    assert read_totals(f"team={rep.team_id}&person={rep.pk}") == maria
    assert read_totals(f"person={manager.pk}") != maria
    is_about_follow_ups = slug == "follow-up-performance"
    assert (read_totals("") == maria) == is_about_follow_ups


def test_a_narrow_scope_has_no_spend(browse, manager, rep, fair):
    content = read_page(browse(manager).get(f"{page('source-roi')}?person={rep.pk}"))
    headings = re.findall(r'<th scope="col" class="number">(.*?)</th>', content)
    summary = "<strong>All time; leads owned by Maria.</strong> Spend is the company's. Nobody knows"
    assert summary in html.unescape(content)
    assert headings == ["Leads", "Qualified", "Quoted", "Won", "Win rate", "Revenue", "Days to booking"]
    assert re.search(r"<figcaption>\s*Booked revenue\s*<span", content)


def test_the_file_of_a_narrow_scope_has_empty_costs(browse, manager, rep, fair):
    row, _ = read_file(browse(manager).get(f"{page('source-roi')}?person={rep.pk}&format=csv"))
    assert row["leads"] == "2"
    assert row["booked_revenue"] == "1200.00"
    assert row["spend"] == ""
    assert row["roi_percent"] == ""


def test_links_to_usual_periods_keep_the_other_choices(browse, manager, rep, fair, monkeypatch):
    monkeypatch.setattr("sales.admin.reports.report_pages.company_today", lambda: date(2026, 3, 1))
    person, february = f"person={rep.pk}", "start_date=2026-02-01&end_date=2026-02-28"
    links = browse(manager).get(f"{page('speed')}?{person}&{february}").context["periods"]
    assert {link.label: link.query for link in links} == {
        "This month": f"{person}&start_date=2026-03-01&end_date=2026-03-01",
        "Last month": f"{person}&{february}",
        "This year": f"{person}&start_date=2026-01-01&end_date=2026-03-01",
        "Last year": f"{person}&start_date=2025-01-01&end_date=2025-12-31",
        "All time": person,
    }
    assert [link.label for link in links if link.is_current] == ["Last month"]


def test_the_number_of_queries_does_not_depend_on_the_people(
    browse, manager, make_user, desk, make_lead, activity_everywhere
):
    def count_queries(slug):
        with CaptureQueriesContext(connection) as captured:
            read_page(browse(manager).get(page(slug)))
        return len(captured)

    before = {slug: count_queries(slug) for slug in REPORTS}
    for number in range(10):
        make_lead(assigned_to=make_user(f"rep{number}", team=desk), is_repeat=True, status="won")
    assert {slug: count_queries(slug) for slug in REPORTS} == before


@every_report
def test_the_home_page_links_to_reports_for_managers_only(browse, manager, rep, slug):
    assert page(slug) in read_page(browse(manager).get("/admin/"))
    assert page(slug) not in read_page(browse(rep).get("/admin/"))


@pytest.mark.parametrize("slug", ["source-roi", "speed", "losses"])
def test_the_file_of_the_page_equals_that_of_the_api(browse, api, manager, fair, slug):
    page_rows = read_file(browse(manager).get(page(slug) + "?by=source&format=csv"))
    api_rows = read_file(api(manager).get(f"/api/v1/sales/reports/{slug}?by=source&format=csv"))
    for row in api_rows:
        if "roi" in row:  # programs read a ratio, people a percentage
            row["roi_percent"] = str(round(float(row.pop("roi")) * 100, 2))
    assert page_rows == api_rows


@pytest.mark.parametrize(
    ("booked", "percentage"),
    [(1000, "900%"), (100, "0%"), (50, "-50%"), (112.34, "12.3%"), (99.99, "0%"), (123_456, "123,356%")],
)
def test_roi_reads_alike_in_the_report_on_the_home_page_and_in_the_file(
    browse, manager, make_lead, rep, booked, percentage
):
    source = LeadSource.objects.create(name="Fair")
    month = (company_today() - timedelta(days=40)).replace(day=1)
    SourceSpend.objects.create(source=source, month=month, amount=100)
    make_lead(assigned_to=rep, source=source, status="won", booked_value=booked)
    for address in (page("source-roi"), "/admin/"):
        row = r'<th scope="row">\s*(?:<a [^>]*>)?Fair(?:</a>)?\s*</th>(.*?)</tr>'
        cells = re.search(row, read_page(browse(manager).get(address)), re.DOTALL)[1]
        assert cells.count(f">{percentage}<") == 1
    file_row, _ = read_file(browse(manager).get(page("source-roi") + "?format=csv"))
    assert format_percent(float(file_row["roi_percent"])) == percentage


@pytest.mark.parametrize(
    ("slug", "query", "message"),
    [
        ("source-roi", "start_date=2026-05-02&end_date=2026-05-01", "The end is before the start."),
        ("speed", "start_date=2020-01-01&end_date=2026-01-01", "A report covers at most five years."),
        ("speed", "start_date=x", "Enter a valid date."),
        ("losses", "by=colour", "Select a valid choice"),
    ],
)
def test_wrong_values_get_a_message_instead_of_a_table(browse, manager, fair, slug, query, message):
    content = read_page(browse(manager).get(f"{page(slug)}?{query}"))
    assert message in content
    assert "<tfoot>" not in content


def test_a_period_without_rows(browse, manager):
    assert "There is nothing in this period." in read_page(browse(manager).get(page("losses")))


def test_there_is_no_other_report(browse, manager):
    assert browse(manager).get(page("nothing")).status_code == 404


@pytest.mark.parametrize(("former_slug", "slug"), FORMER_SLUGS.items())
def test_former_addresses_redirect_with_their_query(browse, manager, former_slug, slug):
    response = browse(manager).get(f"/admin/sales/leadsource/reports/{former_slug}/?by=source&person=1&format=csv")
    assert response.status_code == 301
    assert response["Location"] == f"/admin/reports/{slug}/?by=source&person=1&format=csv"


def test_every_report_of_that_time_has_a_former_address(browse, manager):
    assert set(FORMER_SLUGS.values()) <= set(REPORTS)
    assert browse(manager).get("/admin/sales/leadsource/reports/nothing/").status_code == 404
