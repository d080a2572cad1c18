"""Which rows of a file are duplicates: of an open lead that the user can see, or of an earlier row."""

import pytest

from sales.models import ImportRow
from sales.services.imports import duplicate_rows

HEADER = "Company,Email,Phone\n"
ANN, BOB = "ann@x.example", "bob@x.example"
PHONE, OTHER_PHONE = "212 555 0100", "212 555 0101"


@pytest.fixture
def make_client(make_lead):
    def make_client(email="", phone="", **fields):
        phone_normalised = f"+1{phone.replace(' ', '')}" if phone else ""
        return make_lead(email=email, email_normalised=email, phone=phone, phone_normalised=phone_normalised, **fields)

    return make_client


def matches(lead_import):
    """The matching lead and the matching line, by line."""
    rows = lead_import.rows.values_list("line", "same_as", "same_line")
    return {line: (same_as, same_line) for line, same_as, same_line in rows}


def test_the_email_address_counts_more_than_the_phone_number(upload, make_client):
    make_client(phone=PHONE, company_name="By phone")
    by_email = make_client(email=ANN, company_name="By email")

    lead_import = upload(f"{HEADER}A,{ANN},{PHONE}\n")

    assert matches(lead_import) == {2: (by_email.pk, None)}


def test_the_phone_number_counts_if_the_email_address_is_new(upload, make_client):
    by_phone = make_client(phone=PHONE)

    lead_import = upload(f"{HEADER}A,{ANN},{PHONE}\nB,,{PHONE}\n")

    assert matches(lead_import) == {2: (by_phone.pk, None), 3: (by_phone.pk, 2)}


def test_the_oldest_of_several_open_leads_counts(upload, make_client):
    make_client(email=ANN, status="won")
    oldest = make_client(email=ANN)
    make_client(email=ANN)

    assert matches(upload(f"{HEADER}A,{ANN},\n")) == {2: (oldest.pk, None)}


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_closed_lead_does_not_count(upload, make_client, status):
    make_client(email=ANN, status=status, lost_reason_id="price" if status == "lost" else None)

    assert matches(upload(f"{HEADER}A,{ANN},\n")) == {2: (None, None)}


def test_a_lead_that_the_user_can_not_see_does_not_count(upload, make_client, stranger):
    make_client(email=ANN, assigned_to=stranger)

    assert matches(upload(f"{HEADER}A,{ANN},\n")) == {2: (None, None)}


def test_rows_and_leads_without_email_and_phone_match_nothing(upload, make_client):
    make_client(company_name="A")

    assert matches(upload(f"{HEADER}A,,\nA,,\n")) == {2: (None, None), 3: (None, None)}


def test_the_first_row_with_the_same_email_or_phone_counts(upload):
    rows = (f"A,{ANN},{PHONE}", f"B,{BOB},{OTHER_PHONE}", f"C,{BOB},{PHONE}", f"D,,{OTHER_PHONE}")

    lead_import = upload(HEADER + "\n".join(rows))

    assert matches(lead_import) == {2: (None, None), 3: (None, None), 4: (None, 2), 5: (None, 3)}


def test_a_wrong_row_matches_nothing_and_no_row_matches_it(upload, make_client):
    make_client(email=ANN)

    lead_import = upload(f"Company,Email,Passengers\nA,{ANN},many\nB,{BOB},many\nC,{BOB},5\n")

    assert matches(lead_import) == {2: (None, None), 3: (None, None), 4: (None, None)}


def test_a_row_with_a_leads_number_matches_that_lead_alone(upload, make_client):
    named, other = make_client(), make_client(email=ANN, phone=PHONE)

    lead_import = upload(f"Lead,Company,Email,Phone\n{named.pk},A,{ANN},{PHONE}\n,B,{ANN},\n")

    assert matches(lead_import) == {2: (named.pk, None), 3: (other.pk, None)}


def test_checking_a_file_leaves_the_rows_of_other_imports_alone(upload, import_file, make_client):
    """The other rows would all match the new leads; they were marked when nobody had these addresses."""
    waiting = upload(f"{HEADER}A,{ANN},\nB,,{PHONE}\n")
    finished = import_file(f"{HEADER}C,c@x.example,{OTHER_PHONE}\nD,,{OTHER_PHONE}\n")
    before = list(ImportRow.objects.values())
    make_client(email=ANN, phone=OTHER_PHONE)
    by_phone = make_client(phone=PHONE)

    lead_import = upload(f"{HEADER}E,,{PHONE}\n")

    assert matches(lead_import) == {2: (by_phone.pk, None)}
    assert list(ImportRow.objects.exclude(lead_import=lead_import).values()) == before
    assert {row["lead_import_id"] for row in before} == {waiting.pk, finished.pk}


def test_marking_again_follows_what_has_changed_since(upload, make_client, manager):
    lead_import = upload(f"{HEADER}A,{ANN},\nB,{BOB},\n")
    gone = make_client(email=ANN)
    duplicate_rows.mark_duplicates(lead_import, by=manager)
    assert matches(lead_import) == {2: (gone.pk, None), 3: (None, None)}
    gone.delete()
    new = make_client(email=BOB)

    duplicate_rows.mark_duplicates(lead_import, by=manager)

    assert matches(lead_import) == {2: (None, None), 3: (new.pk, None)}


def test_the_number_of_statements_does_not_grow_with_the_rows(upload, manager, django_assert_num_queries):
    rows = "".join(f"Club {number},{number}@x.example,\n" for number in range(30))
    lead_import = upload(HEADER + rows)

    with django_assert_num_queries(4):
        duplicate_rows.mark_duplicates(lead_import, by=manager)
