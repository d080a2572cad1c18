"""The reports on leads over HTTP. (Their figures: tests/sales/queries.)"""

import csv
import io
from datetime import date

import pytest

from sales.models import LeadSource, SourceSpend

REPORTS = "/api/v1/sales/reports/"


@pytest.fixture
def fair(make_lead, rep):
    source = LeadSource.objects.create(name="=Fair", channel="trade_show")
    SourceSpend.objects.create(source=source, month=date(2026, 5, 1), amount=31)
    make_lead(assigned_to=rep, source=source, status="won", booked_value=62, created_at="2026-05-10T12:00Z")
    make_lead(assigned_to=rep, source=source, status="lost", lost_reason_id="price", created_at="2026-05-10T12:00Z")
    return source


def test_source_roi(api, manager, fair):
    answer = api(manager).get(f"{REPORTS}source-roi?start_date=2026-05-01&end_date=2026-05-10").json()
    row = {
        "key": fair.pk, "name": "=Fair", "leads": 2, "qualified": 1, "quoted": 1, "won": 1, "qualified_rate": 50.0,
        "quoted_rate": 50.0, "won_rate": 50.0, "booked_revenue": 62.0, "spend": 10.0, "cost_per_lead": 5.0,
        "cost_per_booking": 10.0, "roi": 5.2, "median_days_to_booking": None,
    }  # fmt: skip
    assert answer == {"rows": [row], "totals": {**row, "key": None, "name": "total"}}
    channel = api(manager).get(f"{REPORTS}source-roi?by=channel").json()["rows"]
    assert [(each["key"], each["name"], each["spend"]) for each in channel] == [("trade_show", "Trade show", 31.0)]


@pytest.mark.parametrize(
    ("path", "name", "columns"),
    [
        ("source-roi?format=csv&by=source", "roi-by-source", 15), ("speed?format=csv&by=source", "speed-by-source", 15),
        ("losses?format=csv&by=source", "losses-by-source", 8),
    ],
)  # fmt: skip
def test_as_csv(api, manager, fair, path, name, columns):
    answer = api(manager).get(REPORTS + path)
    assert answer["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    head, line, total = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (len(head), len(line), line[1], total[1]) == (columns, columns, "'=Fair", "total")


@pytest.mark.parametrize("report", ["source-roi", "speed", "losses"])
def test_what_is_asked_wrongly(api, manager, report):
    for query, named in {
        "by=colour": "by", "format=xml": "format", "start_date=2026-02-30": "start_date",
        "start_date=2026-05-02&end_date=2026-05-01": "end_date",
        "start_date=2020-01-01&end_date=2026-01-01": "end_date",
        "cohort=x": "cohort",
    }.items():  # fmt: skip
        answer = api(manager).get(f"{REPORTS}{report}?{query}")
        assert (answer.status_code, list(answer.json())) == (400, [named])
