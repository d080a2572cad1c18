"""Checking a file says what its rows hold and what is wrong with them, and writes no lead."""

import pytest

from sales.models import ImportFile, Lead
from sales.services.imports import row_checks
from tests.sales.services.imports.conftest import row_states

HEADER = "Company,Contact,Email,Phone,Passengers,Pickup\n"


@pytest.fixture
def checked(upload):
    return upload(
        HEADER
        + "A,,A@A.example,,,\n"
        + ",,,,,\n"
        + "B,,b@b.example,212 555 0100,5,2026-09-14 8:30 AM\n"
        + ",,nobody@x.example,,,\n"
        + "D,,no-address,,many,yesterday\n"
        + "=1+1,,,,,\n"
        + "'=D,,,,,\n"
    )


def test_the_check_writes_no_lead_and_keeps_no_file(checked):
    assert checked.state == "checked"
    assert checked.total == 6
    assert Lead.objects.count() == 0
    assert ImportFile.objects.count() == 0


def test_each_row_is_ready_or_wrong(checked):
    assert row_states(checked) == {2: "ready", 4: "ready", 5: "wrong", 6: "wrong", 7: "wrong", 8: "ready"}


def test_a_wrong_row_has_its_problems_by_column(checked):
    assert checked.rows.get(line=5).problems == {"Company": "Enter the name of the company or the contact."}
    assert checked.rows.get(line=6).problems.keys() == {"Email", "Passengers", "Pickup at"}
    assert checked.rows.get(line=6).problems["Passengers"] == "A whole number is required."
    assert checked.rows.get(line=7).problems == {"Company": "This is a formula. Paste its value instead."}


def test_a_row_that_is_ready_has_its_values_by_field(checked):
    assert checked.rows.get(line=4).values == {
        "company_name": "B",
        "email": "b@b.example",
        "phone": "212 555 0100",
        "estimated_passengers": 5,
        "pickup_at": "2026-09-14T08:30:00+00:00",
    }
    assert checked.rows.get(line=8).values == {"company_name": "=D"}


def test_times_are_read_on_the_clock_of_the_user_who_uploads(upload, make_user):
    by = make_user("west", role="admin", time_zone="America/Los_Angeles")
    lead_import = upload("Company,Pickup at\nA,2027-05-01 08:30\n", by=by)
    assert lead_import.rows.get().values["pickup_at"] == "2027-05-01T15:30:00+00:00"


@pytest.mark.parametrize(
    "number",
    ["000-000-0000", "0000000000", "1234567890", "123-456-7890", "9999999999", "(999) 999-9999", "617-000-0000"],
)
def test_placeholder_numbers_identify_nobody(upload, make_lead, number):
    make_lead(company_name="VIP", phone="9999999999", phone_normalised="+19999999999")
    lead_import = upload(f"Company,Phone\nA,{number}\nB,{number}\n")
    assert set(lead_import.rows.values_list("phone_normalised", flat=True)) == {""}
    assert set(lead_import.rows.values_list("same_as", "same_line")) == {(None, None)}


@pytest.mark.parametrize("cell", ["n/a", "-", "none"])
def test_an_empty_word_in_a_fixed_column_of_a_numbered_row_changes_nothing(upload, make_lead, cell):
    lead = make_lead()
    lead_import = upload(f"Lead,Owner,Booked value\n{lead.pk},{cell},{cell}\n")
    row = lead_import.rows.get()
    assert row.state == "ready"
    assert row.cleaned == {}


def test_the_number_of_queries_does_not_grow_with_the_rows(checked, django_assert_max_num_queries, make_lead):
    checked.columns = ["lead", "company_name"]
    rows = [[str(make_lead().pk), "A"] for _ in range(30)] + [["", "B"]] * 30
    with django_assert_max_num_queries(5):
        assert len(row_checks.check_rows(rows, checked)) == 60
