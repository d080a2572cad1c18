"""The reports' pages: the chart, the table, the file. (Their figures: tests/sales/queries.)"""

import csv
import html
import re
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from athena.formatting import format_percent
from sales.admin.reports.report_tables import REPORTS, cell
from sales.models import FollowUp, Lead, LeadScoringRule, LeadSource, SourceSpend
from sales.schedule import company_today
from tests.sales.admin.scoring.test_scoring_rules import text

UPLOAD = reverse("admin:sales_sourcespend_upload")
HEAD = "month,source,campaign,amount\n"


def page(name):
    return reverse(f"admin:sales_leadsource_{name}")


@pytest.fixture
def fair(make_lead, rep):
    source = LeadSource.objects.create(name="<Fair>")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=310)
    make_lead(
        assigned_to=rep, source=source, status="won", booked_value=1200, created_at="2026-05-10T12:00Z",
        first_contacted_at="2026-05-10T15:00Z",
    )  # fmt: skip
    make_lead(
        assigned_to=rep, source=source, status="lost", lost_reason_id="price", created_at="2026-05-10T12:00Z",
        closed_at="2026-05-12T12:00Z",
    )  # fmt: skip
    return source


def test_what_sources_earn(browse, manager, fair):
    found = text(browse(manager).get(page("roi") + "?start_date=2026-05-01&end_date=2026-05-10"))
    assert '<th scope="row">&lt;Fair&gt;</th>' in found
    assert "<title>&lt;Fair&gt;: 1,200</title>" in found
    assert "<title>&lt;Fair&gt;: 100</title>" in found
    assert '<td class="number">1,100%</td>' in found  # (1200 - 100) / 100
    assert "start_date=2026-05-01&amp;end_date=2026-05-10&amp;format=csv" in found


CHARTS = {
    "performance": "Completed and overdue follow-ups", "roi": "Booked revenue and spend",
    "speed": "Time to first contact", "losses": "Lost leads", "effectiveness": "Won of the closed leads",
}  # fmt: skip


@pytest.fixture
def done(fair, rep):
    """What the report on follow-ups, and that on the rules, have something to say about."""
    lead = Lead.objects.get(status="won")
    FollowUp.objects.create(
        lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2026-05-11", completed=True,
        first_scheduled_date="2026-05-11", completed_at="2026-05-11T12:00Z", outcome="successful",
    )  # fmt: skip
    FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="email", scheduled_date="2026-05-12")
    Lead.objects.filter(pk=lead.pk).update(is_repeat=True)


@pytest.mark.parametrize("name", REPORTS)
def test_each_has_a_chart_a_table_a_file_and_the_same_form(browse, manager, done, name):
    found = text(browse(manager).get(page(name)))
    assert f"<figcaption>{CHARTS[name]}" in found
    assert "<svg viewBox=" in found
    assert "<tfoot>" in found
    assert 'href="?format=csv"' in found
    assert f'<a href="{page(name)}" aria-current="page">{REPORTS[name].title}</a>' in found
    assert f"<h1>{REPORTS[name].title}</h1>" in found
    for field in ("start_date", "end_date", "team", "person", *REPORTS[name].choices):
        assert f'name="{field}"' in found
    for other in REPORTS:
        assert f'href="{page(other)}"' in found


def test_how_follow_ups_go(browse, manager, done):
    found = text(browse(manager).get(page("performance") + "?by=type&start_date=2026-05-11&end_date=2026-05-12"))
    cells = [f'<td class="number">{cell}</td>' for cell in ("1", "1", "0", "0", "100%", "100%", "0")]
    assert f'<th scope="row">Call</th>{"".join(cells)}' in found
    assert "<strong>From Mon 11 May 2026 to Tue 12 May 2026.</strong>" in found


def test_what_the_rules_are_worth_leads_to_each_rule(browse, manager, done):
    found = text(browse(manager).get(page("effectiveness")))
    rule = LeadScoringRule.objects.get(rule_name="Repeat Client")
    change = reverse("admin:sales_leadscoringrule_change", args=[rule.pk])
    cells = [f'<td class="number">{cell}</td>' for cell in ("1", "1", "100%", "1", "0%", "–", "–", "–")]
    verdict = '<td class="quiet">Too few leads to say</td>'
    assert f'<th scope="row"><a href="{change}">Repeat Client</a></th>{"".join(cells)}{verdict}' in found


@pytest.mark.parametrize("name", REPORTS)
def test_only_teams_and_people_in_scope_can_be_chosen(browse, manager, admin, rep, leaver, stranger, done, name):
    """Nor does an address that names others say more than that they can't be."""
    form = browse(manager).get(page(name)).context["form"]
    assert [str(each) for each in form.fields["team"].queryset] == ["Charter desk"]
    assert [label for _, label in form.fields["person"].choices] == ["Everybody", "Gone (has left)", "Manager", "Maria"]
    for query in (f"person={stranger.pk}", f"team={stranger.team_id}", "person=x", f"team={10**20}"):
        found = text(browse(manager).get(f"{page(name)}?{query}&format=csv"))
        assert ("Select a valid choice." in found, "<tfoot>" in found) == (True, False)
    assert len(browse(admin).get(page(name)).context["form"].fields["team"].queryset) == 2
    both = f"{page(name)}?team={stranger.team_id}&person={rep.pk}"
    assert "Maria is not in this team." in text(browse(admin).get(both))


@pytest.mark.parametrize("name", REPORTS)
def test_a_person_or_a_team_narrows_every_report(browse, manager, rep, done, name, make_lead):
    """Maria has it all, the manager nothing; nobody's lead is no team's."""
    make_lead(status="lost", lost_reason_id="price", closed_at="2026-05-12T12:00Z")

    def rows(query):
        return browse(manager).get(f"{page(name)}?{query}").context["totals"][2]

    assert rows(f"person={rep.pk}") == rows(f"team={rep.team_id}") == rows(f"team={rep.team_id}&person={rep.pk}")
    assert rows(f"person={rep.pk}") != rows(f"person={manager.pk}")
    assert (rows(f"team={rep.team_id}") == rows("")) == (name == "performance")  # nobody plans for nobody


def test_of_a_person_the_page_says_that_there_is_no_spend(browse, manager, rep, fair):
    found = text(browse(manager).get(f"{page('roi')}?person={rep.pk}"))
    assert "<strong>All time; leads owned by Maria.</strong> Spend is the company's, and nobody" in html.unescape(found)
    headings = re.findall(r'<th scope="col" class="number">(.*?)</th>', found)
    assert headings == ["Leads", "Qualified", "Quoted", "Won", "Won, %", "Revenue", "Days to booking"]
    assert "<figcaption>Booked revenue <span" in found
    lines = browse(manager).get(f"{page('roi')}?person={rep.pk}&format=csv").content.decode("utf-8-sig").splitlines()
    row = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert (row["leads"], row["booked_revenue"], row["spend"], row["roi_percent"]) == ("2", "1200.00", "", "")


def test_periods_that_one_asks_for_most_keep_the_rest(browse, manager, rep, fair, monkeypatch):
    monkeypatch.setattr("sales.admin.reports.report_pages.company_today", lambda: date(2026, 3, 1))
    query = f"person={rep.pk}&start_date=2026-02-01&end_date=2026-02-28"
    assert browse(manager).get(f"{page('speed')}?{query}").context["periods"] == [
        ("This month", f"person={rep.pk}&start_date=2026-03-01&end_date=2026-03-01", False),
        ("Last month", query, True),
        ("This year", f"person={rep.pk}&start_date=2026-01-01&end_date=2026-03-01", False),
        ("Last year", f"person={rep.pk}&start_date=2025-01-01&end_date=2025-12-31", False),
        ("All time", f"person={rep.pk}", False),
    ]


def test_as_many_queries_for_many_people_as_for_few(browse, manager, make_user, desk, make_lead, done):
    def queries(name):
        with CaptureQueriesContext(connection) as captured:
            text(browse(manager).get(page(name)))
        return len(captured)

    before = {name: queries(name) for name in REPORTS}
    for number in range(10):
        make_lead(assigned_to=make_user(f"rep{number}", team=desk), is_repeat=True, status="won")
    assert {name: queries(name) for name in REPORTS} == before


def test_the_first_page_leads_to_all_of_them(browse, manager, rep):
    found, others = (text(browse(user).get("/admin/")) for user in (manager, rep))
    assert [page(name) in found for name in REPORTS] == [True] * len(REPORTS)
    assert [page(name) in others for name in REPORTS] == [False] * len(REPORTS)


@pytest.mark.parametrize("name", ["roi", "speed", "losses"])
def test_the_file_is_the_same_as_the_apis(browse, api, manager, fair, name):
    path = {"roi": "source-roi"}.get(name, name)
    ours = lines_of(browse(manager).get(page(name) + "?by=source&format=csv"))
    theirs = lines_of(api(manager).get(f"/api/v1/sales/reports/{path}?by=source&format=csv"))
    for line in theirs:
        if "roi" in line:  # a ratio to programs; people read per cent
            line["roi_percent"] = str(round(float(line.pop("roi")) * 100, 2))
    assert ours == theirs


def lines_of(answer):
    """The lines of a file of a report, by its columns."""
    return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))


@pytest.mark.parametrize(
    ("booked", "shown"),
    [(1000, "900%"), (100, "0%"), (50, "-50%"), (112.34, "12.3%"), (99.99, "0%"), (123_456, "123,356%")],
)
def test_roi_reads_alike_wherever_people_see_it(browse, manager, make_lead, rep, booked, shown):
    source = LeadSource.objects.create(name="Fair")
    today = company_today()
    SourceSpend.objects.create(source=source, month=(today - timedelta(days=40)).replace(day=1), amount=100)
    make_lead(assigned_to=rep, source=source, status="won", booked_value=booked)
    report = text(browse(manager).get(page("roi")))
    home = text(browse(manager).get("/admin/"))
    line = r'<tr><th scope="row">(?:<a [^>]*>)?Fair(?:</a>)?</th>(.*?)</tr>'
    assert [re.search(line, found, re.DOTALL)[1].count(f">{shown}<") for found in (report, home)] == [1, 1]
    (file, _) = lines_of(browse(manager).get(page("roi") + "?format=csv"))
    assert format_percent(float(file["roi_percent"])) == shown


def test_each_rate_of_a_report_is_written_by_the_one_formatter():
    """What `per_cent` and ROI give, in whichever report, is `37.5%`: never a bare number, never a ratio."""
    kinds = {key: kind for report in REPORTS.values() for key, _, kind in report.columns}
    rates = {key for key in kinds if key.endswith(("_rate", "share", "roi"))}
    assert {kinds[key] for key in rates} == {"percent", "share"}
    assert len(rates) == 7
    assert cell({"x": 37.5}, "x", "percent") == cell({"x": 0.375}, "x", "share") == ("37.5%", "number")


def test_what_is_asked_wrongly_is_said_beside_it(browse, manager, fair):
    found = text(browse(manager).get(page("roi") + "?start_date=2026-05-02&end_date=2026-05-01"))
    assert "The end is before the start." in found
    assert "<tfoot>" not in found
    assert "Enter a valid date." in text(browse(manager).get(page("speed") + "?start_date=x"))
    assert "Select a valid choice" in text(browse(manager).get(page("losses") + "?by=colour"))


def test_nothing_in_the_period(browse, manager):
    assert "There is nothing in this period." in text(browse(manager).get(page("losses")))


def test_spend_from_a_file_is_looked_at_and_then_saved(browse, manager, fair):
    content = f"{HEAD}2026-05,<fair>,,320\n2026-06,<Fair>,June,5.50\n"
    browser = browse(manager)
    upload = SimpleUploadedFile("spend.csv", b"\xef\xbb\xbf" + content.encode())
    looked = text(browser.post(UPLOAD, {"step": "preview", "file": upload}))
    assert "What would be saved: 2 amounts, 325.50 in all" in looked
    assert "replaces 310.00" in looked
    assert SourceSpend.objects.count() == 1
    answer = browser.post(UPLOAD, {"step": "save", "text": content})
    assert answer["Location"] == reverse("admin:sales_sourcespend_changelist")
    assert list(SourceSpend.objects.order_by("month").values_list("campaign", "amount")) == [("", 320), ("June", 5.5)]


def test_a_wrong_file_is_not_saved(browse, manager, fair):
    browser = browse(manager)
    wrong = text(browser.post(UPLOAD, {"step": "save", "text": f"{HEAD}2026-06,<Fair>,,1\n2026-05,Expo,,x\n"}))
    assert "1 of 2 lines are wrong." in wrong
    for files in (
        {"file": SimpleUploadedFile("x.csv", "month".encode("utf-16"))}, {"file": SimpleUploadedFile("x.csv", b"")},
        {"file": SimpleUploadedFile("x.csv", b"x" * 1_000_001)}, {"text": ""}, {"text": "colour\nred\n"},
    ):  # fmt: skip
        assert 'class="errorlist"' in text(browser.post(UPLOAD, {"step": "save", **files}))
    assert SourceSpend.objects.count() == 1
