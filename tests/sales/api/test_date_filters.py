"""Date filters (`…_after` and `…_before`) include the given day, whatever the route, column and time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from sales.models import FollowUp
from tests.athena.api.routes import get_served_schema

DAY = timedelta(days=1)
INSTANT_FILTERS = {  # of columns of instants; a day is in the company's time zone
    ("sales/leads", "created_after"): "created_at",
    ("sales/leads", "created_before"): "created_at",
    ("sales/leads", "next_follow_up_before"): "next_follow_up_date",
}
DAY_FILTERS = {  # of columns of days, which are the assignee's and don't depend on the company's time zone
    ("sales/follow-ups", "due_after"): "scheduled_date",
    ("sales/follow-ups", "due_before"): "scheduled_date",
}
ZONES = ("America/New_York", "Pacific/Auckland", "UTC")
DATES = (
    date(2026, 5, 4),
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 4, 5),
)  # an ordinary day, and days when clocks change


def test_every_date_filter_of_the_api_is_tested_here():
    date_filters = {
        (path.removeprefix("/api/v1/"), parameter["name"])
        for path, methods in get_served_schema()["paths"].items()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["name"].endswith(("_after", "_before"))
    }
    assert date_filters == set(INSTANT_FILTERS) | set(DAY_FILTERS)


def test_the_schema_describes_that_the_day_is_included():
    operations = get_served_schema()["paths"]
    for path, name in (*INSTANT_FILTERS, *DAY_FILTERS):
        parameters = {parameter["name"]: parameter for parameter in operations[f"/api/v1/{path}"]["get"]["parameters"]}
        assert "inclusive" in parameters[name]["description"]


def list_ids(client, path, **query):
    response = client.get(f"/api/v1/{path}", {**query, "limit": 200})
    assert response.status_code == 200
    return {row["id"] for row in response.json()["results"]}


@pytest.mark.parametrize("day", DATES)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("path", "name"), INSTANT_FILTERS)
def test_a_filter_of_instants_takes_a_day_or_a_time(api, admin, make_lead, path, name, zone, day):
    column, tick = INSTANT_FILTERS[path, name], timedelta(microseconds=1)
    begin, end = (datetime.combine(midnight, time(), ZoneInfo(zone)).astimezone(UTC) for midnight in (day, day + DAY))
    noon = begin + (end - begin) / 2
    instants = (begin - tick, begin, noon, end - tick, end)
    before, first, middle, last, after = (make_lead(**{column: instant}).pk for instant in instants)
    if name.endswith("_after"):
        ids_by_day, ids_by_time = {first, middle, last, after}, {middle, last, after}
    else:
        ids_by_day, ids_by_time = {before, first, middle, last}, {before, first, middle}
    with override_settings(COMPANY_TIME_ZONE=zone):
        assert list_ids(api(admin), path, **{name: day.isoformat()}) == ids_by_day
        for query_zone in ZONES:
            text = noon.astimezone(ZoneInfo(query_zone)).isoformat()
            assert list_ids(api(admin), path, **{name: text}) == ids_by_time


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("path", "name"), DAY_FILTERS)
def test_a_filter_of_days_takes_a_day(api, admin, make_user, make_lead, path, name, zone):
    assignee, day = make_user("traveller", time_zone=zone), DATES[0]
    lead = make_lead(assigned_to=assignee)
    before, on, after = (
        FollowUp.objects.create(lead=lead, assigned_to=assignee, follow_up_type="call", scheduled_date=due_day).pk
        for due_day in (day - DAY, day, day + DAY)
    )
    expected = {on, after} if name.endswith("_after") else {before, on}
    assert list_ids(api(admin), path, **{name: day.isoformat()}) == expected
