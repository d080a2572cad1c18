"""Headers as people and other systems write them."""

import pytest

from sales import errors
from sales.exchange.columns import COLUMNS
from sales.exchange.mapping import map_columns


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Phone,Mobile Phone,Mobile", ["phone", "further_phone", "further_phone"]),
        ("Business Phone,Mobile Phone,Home Phone 2", ["phone", "further_phone", "further_phone"]),
        ("Mobile,Office Phone", ["phone", "further_phone"]),
        ("Phone 1 - Value,Phone 2 - Value,Phone 1 - Type", ["phone", "further_phone", None]),
        ("Email,E-mail 2 Address,Non Primary E-mails", ["email", "further_email", "further_email"]),
        ("Email Opt Out,Phone Verified,Fax", [None, None, None]),
        ("First Name,Last Name,Person - Email - Work", ["first_name", "last_name", "email"]),
        ("Person - Name,Organization - Name,Lead - Title", ["contact_name", "company_name", None]),
        ("Lead - Value,Deal - Value Currency", ["estimated_value", "currency"]),
        ("Full name,User email,User phone,Phone Verified", ["contact_name", "email", "phone", None]),
        ("Phone,MobilePhone,HomePhone,LastName", ["phone", "further_phone", "further_phone", "last_name"]),
        ("Organization 1 - Name,Given Name", ["company_name", "first_name"]),
        ("Company / Account,Currency ISO Code", ["company_name", "currency"]),
        ("Name,Website,Billing City", ["company_name", None, None]),
        ("Name,Color", ["contact_name", None]),
    ],
)
def test_headers_of_other_systems_are_known(header, fields):
    names = header.split(",")
    if not {"company_name", "contact_name", "first_name"} & set(fields):  # which a file must have
        names, fields = ["Company", *names], ["company_name", *fields]
    assert map_columns(names) == fields


def test_headers_are_known_in_any_spelling():
    header = ["COMPANY NAME", "E-mail", "e mail 2", "contact_name", "Pick-up"]
    assert map_columns(header) == ["company_name", "email", "further_email", "contact_name", "pickup_at"]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_each_header_of_a_column_is_known_and_no_other_columns(column):
    for header in column.headers:
        mapped = map_columns([header] if column.name in ("company_name", "contact_name") else [header, "Company"])
        assert mapped[0] == column.name


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        pytest.param(["Company", "Contact", "company"], "These columns are the same: Company, company.", id="same"),
        pytest.param(["E-mail", "Company", "email address"], "the same: E-mail, email address.", id="same field"),
        pytest.param(["Company", "Color", "color"], "there more than once: Color, color.", id="unknown twice"),
        pytest.param(["Company", "", "Phone"], "Column B has no header.", id="empty"),
        pytest.param(["A", "B"], "with Company or Contact among them. It is: A, B.", id="no name"),
        pytest.param(["Company:Contact"], "Separate cells by commas, semicolons, tabs", id="another separator"),
    ],
)
def test_a_header_that_can_not_be_mapped_is_refused(header, problem):
    with pytest.raises(errors.Invalid) as refused:
        map_columns(header)
    assert problem in refused.value.fields["file"]
