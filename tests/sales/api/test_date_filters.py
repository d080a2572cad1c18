"""Filters that end in `_after` and `_before`: each includes its day, whatever the route, column and time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from sales.models import FollowUp
from tests.athena.api.routes import get_served_schema

DAY = timedelta(days=1)
INSTANTS = {  # of a column of instants: a day is the company's
    ("sales/leads", "created_after"): "created_at",
    ("sales/leads", "created_before"): "created_at",
    ("sales/leads", "next_follow_up_before"): "next_follow_up_date",
}
DAYS = {  # of a column of days: they are the assignee's, wherever the company is
    ("sales/follow-ups", "due_after"): "scheduled_date",
    ("sales/follow-ups", "due_before"): "scheduled_date",
}
ZONES = ("America/New_York", "Pacific/Auckland", "UTC")
CHANGES = (date(2026, 5, 4), date(2026, 3, 8), date(2026, 11, 1), date(2026, 4, 5))  # a plain day, and days of DST


def test_the_tables_hold_every_bound_of_the_api():
    bounds = {
        (path.removeprefix("/api/v1/"), parameter["name"])
        for path, methods in get_served_schema()["paths"].items()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["name"].endswith(("_after", "_before"))
    }
    assert bounds == set(INSTANTS) | set(DAYS)


def test_the_schema_says_so():
    operations = get_served_schema()["paths"]
    for path, name in (*INSTANTS, *DAYS):
        (found,) = (each for each in operations[f"/api/v1/{path}"]["get"]["parameters"] if each["name"] == name)
        assert "which is included" in found["description"]


def found(client, path, **query):
    answer = client.get(f"/api/v1/{path}", {**query, "limit": 200})
    assert answer.status_code == 200
    return {row["id"] for row in answer.json()["results"]}


@pytest.mark.parametrize("day", CHANGES)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("path", "name"), INSTANTS)
def test_instants(api, admin, make_lead, path, name, zone, day):
    column, tick = INSTANTS[path, name], timedelta(microseconds=1)
    begins, ends = (datetime.combine(each, time(), ZoneInfo(zone)).astimezone(UTC) for each in (day, day + DAY))
    moments = (begins - tick, begins, begins + (ends - begins) / 2, ends - tick, ends)
    before, first, middle, last, after = (make_lead(**{column: moment}).pk for moment in moments)
    if name.endswith("_after"):
        of_day, of_time = {first, middle, last, after}, {middle, last, after}
    else:
        of_day, of_time = {before, first, middle, last}, {before, first, middle}
    with override_settings(COMPANY_TIME_ZONE=zone):
        assert found(api(admin), path, **{name: day.isoformat()}) == of_day
        for elsewhere in ZONES:
            text = moments[2].astimezone(ZoneInfo(elsewhere)).isoformat()
            assert found(api(admin), path, **{name: text}) == of_time


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("path", "name"), DAYS)
def test_days(api, admin, make_user, make_lead, path, name, zone):
    assignee, day = make_user("traveller", time_zone=zone), CHANGES[0]
    lead = make_lead(assigned_to=assignee)
    before, on, after = (
        FollowUp.objects.create(lead=lead, assigned_to=assignee, follow_up_type="call", scheduled_date=each).pk
        for each in (day - DAY, day, day + DAY)
    )
    expected = {on, after} if name.endswith("_after") else {before, on}
    assert found(api(admin), path, **{name: day.isoformat()}) == expected
