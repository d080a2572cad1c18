"""The reports over HTTP. (Their numbers: tests/sales/queries/reports.)"""

import csv
import io
from datetime import date

import pytest

from sales.models import LeadSource, SourceSpend

REPORTS = "/api/v1/sales/reports/"
TABLES = ("source-roi", "speed", "losses")


@pytest.fixture
def fair(make_lead, rep):
    """A source with spend, a won lead and a lost lead. Its name would be a formula in a spreadsheet."""
    source = LeadSource.objects.create(name="=Fair", channel="trade_show")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=31)
    arrival = {"source": source, "assigned_to": rep, "created_at": "2026-05-10T12:00Z"}
    make_lead(status="won", booked_value=62, **arrival)
    make_lead(status="lost", lost_reason_id="price", **arrival)
    return source


def test_source_roi(api, manager, fair):
    table = api(manager).get(f"{REPORTS}source-roi?start_date=2026-05-01&end_date=2026-05-10").json()
    row = {
        "key": fair.pk,
        "name": "=Fair",
        "leads": 2,
        "qualified": 1,
        "quoted": 1,
        "won": 1,
        "qualified_rate": 50.0,
        "quoted_rate": 50.0,
        "won_rate": 50.0,
        "booked_revenue": 62.0,
        "spend": 10.0,
        "cost_per_lead": 5.0,
        "cost_per_booking": 10.0,
        "roi": 5.2,
        "median_days_to_booking": None,
    }
    assert table == {"rows": [row], "totals": {**row, "key": None, "name": "total"}}


def test_source_roi_by_channel(api, manager, fair):
    (row,) = api(manager).get(f"{REPORTS}source-roi?by=channel").json()["rows"]
    assert row["key"] == "trade_show"
    assert row["name"] == "Trade show"
    assert row["spend"] == 31.0


@pytest.mark.parametrize(("slug", "columns"), [("source-roi", 15), ("speed", 15), ("losses", 8)])
def test_a_file_has_the_rows_and_the_totals_and_no_formulas(api, manager, fair, slug, columns):
    response = api(manager).get(f"{REPORTS}{slug}?format=csv&by=source")
    header, row, totals = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert response["Content-Disposition"] == f'attachment; filename="{slug}-by-source.csv"'
    assert len(header) == len(row) == columns
    assert row[1] == "'=Fair"
    assert totals[1] == "total"


@pytest.mark.parametrize("slug", TABLES)
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("by=colour", "by"),
        ("format=xml", "format"),
        ("start_date=2026-02-30", "start_date"),
        ("start_date=2026-05-02&end_date=2026-05-01", "end_date"),
        ("start_date=2020-01-01&end_date=2026-01-01", "end_date"),
        ("cohort=x", "cohort"),
    ],
)
def test_a_wrong_parameter_is_named(api, manager, slug, query, parameter):
    response = api(manager).get(f"{REPORTS}{slug}?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [parameter]
