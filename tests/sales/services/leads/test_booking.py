"""A lead that is won, in whatever way, gets the given value or else the quote's amount; without both it is refused."""

from datetime import timedelta
from decimal import Decimal

import pytest

from athena.accounts.models import local_today
from sales import errors
from sales.models import Lead
from sales.queries.reports.source_roi import compute_source_roi
from sales.services.follow_ups import follow_ups
from sales.services.imports import import_batches, imports
from sales.services.leads import leads

URL = "/api/v1/sales"


def plan_follow_up(by, lead):
    day = local_today(by) + timedelta(days=1)
    return follow_ups.create(by=by, lead_id=lead.pk, follow_up_type="call", scheduled_date=day)


def create(api, by, lead, **values):
    return api(by).post(f"{URL}/leads", {"company_name": "Made", "status": "won", **values}, format="json")


def change(api, by, lead, **values):
    quote = {"quote_amount": values.pop("quote_amount")} if "quote_amount" in values else {}
    Lead.objects.filter(pk=lead.pk).update(**quote)
    return api(by).patch(f"{URL}/leads/{lead.pk}", {"status": "won", **values}, format="json")


def change_status_and_quote(api, by, lead, **values):
    return api(by).patch(f"{URL}/leads/{lead.pk}", {"status": "won", **values}, format="json")


def complete(api, by, lead, **values):
    Lead.objects.filter(pk=lead.pk).update(quote_amount=values.pop("quote_amount", None))
    body = {"outcome": "successful", "close": "won", **values}
    return api(by).post(f"{URL}/follow-ups/{plan_follow_up(by, lead).pk}/complete", body, format="json")


def win_again(api, by, lead, **values):
    for changes in ({"status": "won", "booked_value": 1}, {"status": "qualified"}):
        assert api(by).patch(f"{URL}/leads/{lead.pk}", changes, format="json").status_code == 200
    return change(api, by, lead, **values)


def clear_the_booked_value(api, by, lead, **values):
    response = api(by).patch(f"{URL}/leads/{lead.pk}", {"status": "won", "booked_value": 5}, format="json")
    assert response.status_code == 200
    return change_status_and_quote(api, by, lead, **{"booked_value": None, **values})


def assert_value_missing(response):
    assert response.status_code == 400
    assert list(response.data) == ["booked_value"]


WAYS_TO_WIN = (create, change, change_status_and_quote, complete, win_again, clear_the_booked_value)


@pytest.mark.parametrize(
    ("values", "booked_value"),
    [
        ({}, None),
        ({"quote_amount": 4200.5}, "4200.50"),
        ({"booked_value": 900}, "900.00"),
        ({"booked_value": 900, "quote_amount": 4200.5}, "900.00"),
        ({"booked_value": 0}, "0.00"),  # a free trip
    ],
)
@pytest.mark.parametrize("win", WAYS_TO_WIN)
def test_each_way_to_win_a_lead_over_the_api_sets_the_booked_value(api, rep, make_lead, win, values, booked_value):
    lead = make_lead(assigned_to=rep, estimated_value=100)
    response = win(api, rep, lead, **values)
    if booked_value is None:
        assert_value_missing(response)
        assert not Lead.objects.filter(status="won", booked_value=None).exists()
    else:
        assert response.status_code in (200, 201), response.data
        assert Lead.objects.get(status="won").booked_value == Decimal(booked_value)


@pytest.mark.parametrize("win", [create, change])
def test_a_lead_cannot_be_won_with_null_as_its_value(api, rep, make_lead, win):
    response = win(api, rep, make_lead(assigned_to=rep), booked_value=None)
    assert_value_missing(response)


def test_an_import_sets_the_booked_values(manager):
    rows = "Company,Status,Booked value,Quote\nA,Won,,\nB,Won,,4200.50\nC,Won,900,\nD,Won,0,\nE,New,,\n"
    lead_import = imports.upload(by=manager, file_name="leads.csv", content=rows.encode())
    import_batches.run_or_publish(lead_import.pk)
    lead_import.refresh_from_db()
    wrong_row = lead_import.rows.get(state="wrong")
    assert wrong_row.line == 2
    assert list(wrong_row.problems) == ["Booked value"]
    imports.start(by=manager, import_id=lead_import.pk, duplicates="create")
    import_batches.run_or_publish(lead_import.pk)
    values_by_name = dict(Lead.objects.filter(status="won").values_list("company_name", "booked_value"))
    assert values_by_name == {"B": Decimal("4200.50"), "C": Decimal(900), "D": Decimal(0)}


def test_a_booked_value_taken_from_the_quote_is_recorded_as_a_change(rep, make_lead):
    lead = make_lead(assigned_to=rep, quote_amount=Decimal("4200.50"))
    leads.update(by=rep, lead_id=lead.pk, changes={"status": "won"})
    assert list(lead.field_changes.filter(field="booked_value").values_list("old", "new")) == [(None, 4200.5)]


def test_a_row_by_plain_sql_counts_as_a_booking_and_can_be_changed(admin, rep, make_lead):
    lead = make_lead(assigned_to=rep, status="won", closed_at="2026-05-05T00:00Z")
    assert leads.update(by=rep, lead_id=lead.pk, changes={"notes": "x"}).notes == "x"
    with pytest.raises(errors.Invalid):
        leads.create(by=rep, values={"company_name": "x", "status": "won"})
    totals = compute_source_roi(admin).totals
    assert totals.won == 1
    assert totals.booked_revenue == 0
