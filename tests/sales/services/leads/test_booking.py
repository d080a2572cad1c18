"""A won lead has a booked value, by whatever door it is won: given, or the quote's; never none."""

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


def plan_of(by, lead):
    day = local_today(by) + timedelta(days=1)
    return follow_ups.create(by=by, lead_id=lead.pk, follow_up_type="call", scheduled_date=day).pk


def create(api, by, lead, **values):
    return api(by).post(f"{URL}/leads", {"company_name": "Made", "status": "won", **values}, format="json")


def change(api, by, lead, **values):
    quote = {"quote_amount": values.pop("quote_amount")} if "quote_amount" in values else {}
    Lead.objects.filter(pk=lead.pk).update(**quote)
    return api(by).patch(f"{URL}/leads/{lead.pk}", {"status": "won", **values}, format="json")


def change_with_its_quote(api, by, lead, **values):
    return api(by).patch(f"{URL}/leads/{lead.pk}", {"status": "won", **values}, format="json")


def complete(api, by, lead, **values):
    Lead.objects.filter(pk=lead.pk).update(quote_amount=values.pop("quote_amount", None))
    body = {"outcome": "successful", "close": "won", **values}
    return api(by).post(f"{URL}/follow-ups/{plan_of(by, lead)}/complete", body, format="json")


def win_again(api, by, lead, **values):
    for changes in ({"status": "won", "booked_value": 1}, {"status": "qualified"}):
        assert api(by).patch(f"{URL}/leads/{lead.pk}", changes, format="json").status_code == 200
    return change(api, by, lead, **values)


def take_the_value_away(api, by, lead, **values):
    assert (
        api(by).patch(f"{URL}/leads/{lead.pk}", {"status": "won", "booked_value": 5}, format="json").status_code == 200
    )
    return change_with_its_quote(api, by, lead, **{"booked_value": None, **values})


DOORS = (create, change, change_with_its_quote, complete, win_again, take_the_value_away)


@pytest.mark.parametrize(
    ("values", "booked"),
    [
        ({}, None),
        ({"quote_amount": 4200.5}, "4200.50"),
        ({"booked_value": 900}, "900.00"),
        ({"booked_value": 900, "quote_amount": 4200.5}, "900.00"),
        ({"booked_value": 0}, "0.00"),  # a trip that was given away
    ],
)
@pytest.mark.parametrize("win", DOORS)
def test_each_door_of_the_api(api, rep, make_lead, win, values, booked):
    lead = make_lead(assigned_to=rep, estimated_value=100)
    answer = win(api, rep, lead, **values)
    if booked is None:
        assert (answer.status_code, list(answer.data)) == (400, ["booked_value"])
        assert not Lead.objects.filter(status="won", booked_value=None).exists()
    else:
        assert answer.status_code in (200, 201), answer.data
        assert Lead.objects.get(status="won").booked_value == Decimal(booked)


@pytest.mark.parametrize("win", [create, change])
def test_null_is_no_value(api, rep, make_lead, win):
    answer = win(api, rep, make_lead(assigned_to=rep), booked_value=None)
    assert (answer.status_code, list(answer.data)) == (400, ["booked_value"])


def test_a_file(manager):
    rows = "Company,Status,Booked value,Quote\nA,Won,,\nB,Won,,4200.50\nC,Won,900,\nD,Won,0,\nE,New,,\n"
    made = imports.upload(by=manager, file_name="leads.csv", content=rows.encode())
    import_batches.run_or_publish(made.pk)
    made.refresh_from_db()
    wrong = made.rows.filter(state="wrong")
    assert [(row.line, list(row.problems)) for row in wrong] == [(2, ["Booked value"])]
    imports.start(by=manager, import_id=made.pk, duplicates="create")
    import_batches.run_or_publish(made.pk)
    booked = dict(Lead.objects.filter(status="won").values_list("company_name", "booked_value"))
    assert booked == {"B": Decimal("4200.50"), "C": Decimal(900), "D": Decimal(0)}


def test_the_value_that_was_taken_is_in_the_leads_story(rep, make_lead):
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
