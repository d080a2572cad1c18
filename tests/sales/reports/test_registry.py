"""Each entry of the registry is a report in the API, on a page, as a file, in the tabs and in the documents."""

import csv
import inspect
import re

import pytest
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from athena.settings import BASE_DIR
from sales.models import FollowUp, Lead
from sales.reports import registry
from sales.reports.registry import REPORTS
from tests.rights.test_admin import GET_STATUSES
from tests.rights.test_api import TABLE as API_RIGHTS
from tests.sales.admin.scoring.test_scoring_rules import read_page

GUIDE = "docs/development/adding-a-report.md"
REPORT_DOCS = "docs/sources.md"
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.slug)


@pytest.fixture
def something_to_report(make_lead, rep):
    """A completed follow-up, and a contacted lead of a source with a booking that matches a scoring rule."""
    lead = make_lead(
        assigned_to=rep,
        status="won",
        is_repeat=True,
        booked_value=100,
        created_at="2026-05-10T12:00Z",
        first_contacted_at="2026-05-10T15:00Z",
    )
    make_lead(assigned_to=rep, status="lost", lost_reason_id="price", closed_at="2026-05-12T12:00Z")
    done = {"completed": True, "completed_at": "2026-05-11T12:00Z", "outcome": "successful"}
    FollowUp.objects.create(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2026-05-11", **done)
    assert Lead.objects.count() == 2


@pytest.fixture
def content(browse, manager, something_to_report, report):
    return read_page(browse(manager).get(reverse("admin:report", args=[report.slug])))


@every_report
def test_it_answers_in_the_api(api, manager, something_to_report, report):
    response = api(manager).get(f"/api/v1/sales/reports/{report.slug}")
    assert response.status_code == 200, f"The endpoint of {report.slug} does not answer. See “The entry” in {GUIDE}."
    if report.endpoint.respond is None:
        table = response.json()
        assert table["rows"], f"{report.slug} has no rows for the leads of this test: extend `something_to_report`."
        assert set(table["rows"][0]) == set(table["totals"])


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(public=True)


@every_report
def test_the_schema_has_its_parameters_and_its_answer(schema, report):
    operation = schema["paths"][f"/api/v1/sales/reports/{report.slug}"]["get"]
    parameters = {parameter["name"] for parameter in operation["parameters"]}
    assert parameters == set(report.endpoint.parameters().fields)
    assert "schema" in operation["responses"]["200"]["content"]["application/json"]


@every_report
def test_the_serializer_has_the_keys_of_the_answer(api, manager, something_to_report, report):
    if report.endpoint.respond is None:
        row = api(manager).get(f"/api/v1/sales/reports/{report.slug}").json()["totals"]
        described = report.endpoint.response().fields["totals"].fields
        assert set(described) == set(row), (
            f"The serializer and the row of {report.slug} have different fields. See “The entry” in {GUIDE}."
        )


@every_report
def test_it_has_a_page_with_a_chart_and_a_table(content, report):
    assert f"<h1>{report.title}</h1>" in content
    assert report.scope_label
    assert "<tfoot>" in content, f"{report.slug} has no table. See “The entry” in {GUIDE}."
    title = report.chart.title or "<figcaption>"
    assert title in content, f"{report.slug} has no chart. See “The entry” in {GUIDE}."


@every_report
def test_its_page_offers_a_file(browse, manager, something_to_report, report):
    response = browse(manager).get(reverse("admin:report", args=[report.slug]) + "?format=csv")
    header, *rows = csv.reader(response.content.decode("utf-8-sig").splitlines())
    assert response["Content-Disposition"].startswith(f'attachment; filename="{report.slug}')
    assert header[:2] == ["key", "name"]
    assert len(rows) >= 2, "a row and the totals"


@every_report
def test_it_is_in_the_tabs_of_every_report(browse, manager, report):
    address = reverse("admin:report", args=[report.slug])
    for other in REPORTS:
        content = read_page(browse(manager).get(reverse("admin:report", args=[other])))
        assert f'<a href="{address}"' in content
    assert f'<a href="{address}" aria-current="page">{report.title}</a>' in read_page(browse(manager).get(address))


@every_report
def test_it_has_rows_in_the_tests_of_rights(report):
    assert f"report_{report.slug}" in GET_STATUSES, f"tests/rights/test_admin.py has no row for {report.slug}."
    assert (f"sales/reports/{report.slug}", "get", "") in API_RIGHTS, (
        f"tests/rights/test_api.py has no row for {report.slug}."
    )


@every_report
def test_the_documents_name_it(report):
    documents = (BASE_DIR / REPORT_DOCS).read_text()
    row = re.search(rf"^\| \[{re.escape(report.title)}\]\(.*\| `{report.slug}` \|$", documents, re.MULTILINE)
    assert row, f"The table “Reports” of {REPORT_DOCS} has no row for {report.title!r} (`{report.slug}`). See {GUIDE}."


@every_report
def test_it_has_a_module_of_its_own_with_a_query_and_its_tests(report):
    for path in (
        f"sales/reports/{report.name}.py",
        f"sales/queries/reports/{report.name}.py",
        f"tests/sales/queries/reports/test_{report.name}.py",
    ):
        assert (BASE_DIR / path).exists(), f"There is no {path} for the report {report.slug}. See {GUIDE}."


def test_no_report_is_left_out_of_the_registry():
    modules = {path.stem for path in (BASE_DIR / "sales" / "queries" / "reports").glob("*.py")}
    shared = {"__init__", "exact_statistics", "period", "rounding", "scope", "table"}
    missing = modules - shared - {report.name for report in REPORTS.values()}
    assert not missing, f"These queries are in no report of {inspect.getsourcefile(registry)}: {missing}. See {GUIDE}."
