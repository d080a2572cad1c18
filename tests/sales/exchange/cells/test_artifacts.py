"""What spreadsheets and other programs leave in cells: cleaned and said, or refused with the reason."""

import itertools
import time
from zoneinfo import ZoneInfo

import pytest

from sales.exchange.cells import parsing
from sales.exchange.cells.notation import NotationDetector
from sales.exchange.columns import BY_NAME, COLUMNS
from sales.exchange.mapping import map_columns
from sales.exchange.row_reader import read_row

LOOKUPS = parsing.Lookups(zone=ZoneInfo("America/New_York"))
ERRORS = (
    *("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA"),
    *("#BLOCKED!", "#FIELD!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!", "#ERROR!", "#NV", "#WERT!", "Err:502"),
    *("##", "########", "=A1", "\u200b=A1", " =SUM(A1)", "Caf\ufffd", "\ufeff#REF!"),
)


@pytest.mark.parametrize("text", ERRORS)
def test_what_is_no_value_is_refused_in_every_column(text):
    for column in COLUMNS:
        values, wrong = read_row([column.name], [text], LOOKUPS)
        assert (values, list(wrong)) == ({}, [column.label])


@pytest.mark.parametrize("name", [column.name for column in COLUMNS if column.kind.name in ("LINE", "PHONE", "TEXT")])
@pytest.mark.parametrize("text", ["4.4791E+11", "6.17556E+09", "4,4791E+11", "1E+15"])
def test_a_number_whose_digits_are_lost_is_refused_in_every_text(name, text):
    assert list(read_row([name], [text], LOOKUPS)[1]) == [BY_NAME[name].label]


@pytest.mark.parametrize(
    ("column", "text", "value", "said"),
    [
        ("phone", "6175550142.0", "6175550142", True),
        ("phone", "'6175550142", "6175550142", True),
        ("phone", "'+1 617 555 0142", "+1 617 555 0142", False),
        ("phone", "p:+16175550177", "+16175550177", True),
        ("phone", "tel:+1-617-555-0177", "+1-617-555-0177", True),
        ("phone", "Ph: 617 555 0177", "617 555 0177", True),
        ("phone", "Mobile: 617 555 0177", "617 555 0177", True),
        ("phone", "\u202a+1 617 555 0156\u202c", "+1 617 555 0156", True),
        ("phone", "617\xa0555\u202f0157", "617 555 0157", False),
        ("phone", "-", None, True),
        ("phone", "n/a", None, True),
        ("email", "ann@x.example\u200b", "ann@x.example", True),
        ("email", "mailto:ann@x.example", "ann@x.example", True),
        ("email", "E-mail: ann@x.example", "ann@x.example", True),
        ("email", "Ann Smith <ann@x.example>", "ann@x.example", False),
        ("email", '"Smith, Ann" <ann@x.example>', "ann@x.example", False),
        ("email", "'ann@x.example", "ann@x.example", True),
        ("email", "ann@x.example;", "ann@x.example", False),
        ("email", "None", None, True),
        ("company_name", "Echo\r\n Athletics", "Echo Athletics", True),
        ("company_name", "Echo\vAthletics", "Echo Athletics", True),
        ("company_name", "NBSP\xa0Club", "NBSP Club", False),
        ("company_name", "Be\u00adta\ufeff", "Beta", True),
        ("company_name", "'t Hooft", "'t Hooft", False),
        ("company_name", "\u0646\u200c\u0645", "\u0646\u200c\u0645", False),
        ("campaign", "2026.0", "2026", True),
        ("contact_name", "Nil", "Nil", False),
        ("notes", "line 1\vline 2", "line 1\nline 2", False),
        ("estimated_passengers", "44.99999999", 45, True),
        ("estimated_passengers", "'45", 45, True),
        ("estimated_passengers", "1 200", 1200, False),
        ("estimated_passengers", "1\u202f200", 1200, False),
        ("is_repeat", "1.0", True, False),
        ("estimated_passengers", "n/a", None, True),
        ("estimated_value", "1353.125", "1353.13", True),
        ("estimated_value", "1200.00", "1200.00", False),
        ("is_repeat", "-", None, True),
    ],
)
def test_what_is_certain_is_cleaned_and_said(column, text, value, said):
    cleaned = {}
    values, wrong = read_row([column], [text], LOOKUPS, [column], cleaned)
    assert (values.get(column), wrong, bool(cleaned)) == (value, {}, said)


@pytest.mark.parametrize(
    ("column", "text", "first", "others"),
    [
        ("email", "a@x.example; b@x.example", "a@x.example", ["b@x.example"]),
        ("email", "a@x.example, b@x.example c@x.example", "a@x.example", ["b@x.example", "c@x.example"]),
        ("email", "Ann <a@x.example>, Bob <b@x.example>", "a@x.example", ["b@x.example"]),
        ("email", "a@x.example or A@x.example", "a@x.example", []),
        ("phone", "617-555-0158\n617-555-0159", "617-555-0158", ["617-555-0159"]),
        ("phone", "617-555-0158 / (617) 555-0159", "617-555-0158", ["(617) 555-0159"]),
        ("phone", "617-555-0158 or 617-555-0159", "617-555-0158", ["617-555-0159"]),
        ("phone", "+1 617-555-0158 ::: +1 617-555-0159", "+1 617-555-0158", ["+1 617-555-0159"]),
        ("email", "a@x.example ::: b@x.example", "a@x.example", ["b@x.example"]),
        ("phone", "(617) 555-0158, ext. 5", "(617) 555-0158, ext. 5", []),
        ("phone", "617/555-0158", "617/555-0158", []),
    ],
)
def test_of_several_the_first_is_taken_and_the_others_are_kept(column, text, first, others):
    values, wrong = read_row([column], [text], LOOKUPS)
    label = BY_NAME[column].label
    assert (values[column], values.get("further", []), wrong) == (first, [f"{label}: {each}" for each in others], {})


@pytest.mark.parametrize("text", ["mary jane@x.example", "pat@@x.example", "a@x.example b", "nobody"])
def test_what_is_no_address_is_not_guessed(text):
    assert read_row(["email"], [text], LOOKUPS) == ({}, {"Email": "This is not an e-mail address."})


HEADERS = {
    "Phone,Mobile Phone,Mobile": ["phone", "further_phone", "further_phone"],
    "Business Phone,Mobile Phone,Home Phone 2": ["phone", "further_phone", "further_phone"],
    "Mobile,Office Phone": ["phone", "further_phone"],
    "Phone 1 - Value,Phone 2 - Value,Phone 1 - Type": ["phone", "further_phone", None],
    "Email,E-mail 2 Address,Non Primary E-mails": ["email", "further_email", "further_email"],
    "Email Opt Out,Phone Verified,Fax": [None, None, None],
    "First Name,Last Name,Person - Email - Work": ["first_name", "last_name", "email"],
    "Person - Name,Organization - Name,Lead - Title": ["contact_name", "company_name", None],
    "Lead - Value,Deal - Value Currency": ["estimated_value", "currency"],
    "Full name,User email,User phone,Phone Verified": ["contact_name", "email", "phone", None],
    "Phone,MobilePhone,HomePhone,LastName": ["phone", "further_phone", "further_phone", "last_name"],
    "Organization 1 - Name,Given Name": ["company_name", "first_name"],
    "Company / Account,Currency ISO Code": ["company_name", "currency"],
    "Name,Website,Billing City": ["company_name", None, None],
    "Name,Color": ["contact_name", None],
}  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_headers_as_other_systems_write_them(header):
    names = header.split(",")
    named = {"company_name", "contact_name", "first_name"} & set(HEADERS[header])
    assert map_columns(names if named else ["Company", *names]) == (
        HEADERS[header] if named else ["company_name", *HEADERS[header]]
    )


def test_names_are_joined_and_nothing_is_lost():
    header = ["First Name", "Last Name", "Company", "Mobile Phone", "Home Phone", "E-mail 2 Address"]
    row = ["Oz", "Eve", "Eve Club", "617-555-0149", "617-555-0150", "oz2@eve.example"]
    assert read_row(map_columns(header), row, LOOKUPS, header) == (
        {"company_name": "Eve Club", "contact_name": "Oz Eve", "phone": "617-555-0149", "email": "oz2@eve.example",
         "further": ["Home Phone: 617-555-0150"]}, {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "column", "notation"),
    [
        ("date", ["03/04/2027", "12/04/2027", "13/04/2027"], ""),
        ("date", ["03/04/2027", "12/04/2027"], ""),
        ("date", ["03/04/2027", "04/13/2027"], "month"),
        ("date", ["13/04/2027", "04/13/2027"], ""),
        ("date", ["3-4-27 2:30 PM", "Sat 4/13/2027"], "month"),
        ("date", ["2027-04-03", "3 Apr 2027", "03/03/2027", "3.4.2027"], None),
        ("amount", ["1.234,56", "12"], ""),
        ("amount", ["1.200", "3.400"], ""),
        ("amount", ["1.234,56", "1,200.00"], "point"),
        ("amount", ["1,200", "1,234.56", "12"], None),
        ("amount", ["1\xa0200,50"], ""),
    ],
)
def test_a_column_is_read_one_way_or_doubted_whole(kind, column, notation):
    evidence = NotationDetector(kind)
    for text in column:
        evidence.add_cell(text)
    assert evidence.notation == notation


@pytest.mark.parametrize(
    ("column", "notation", "text", "value"),
    [
        ("pickup_at", "day", "03/04/2027", "2027-04-03T04:00:00+00:00"),
        ("pickup_at", "month", "03/04/2027", "2027-03-04T05:00:00+00:00"),
        ("quote_valid_until", "day", "3-4-27", "2027-04-03"),
        ("estimated_value", "comma", "1.234,56", "1234.56"),
        ("estimated_value", "comma", "1.200", "1200"),
        ("estimated_value", "point", "1,200", "1200"),
        ("estimated_value", "comma", "1,200", None),
        ("estimated_value", "point", "1.200", None),
        ("estimated_value", "", "1,200", None),
        ("estimated_value", "", "1200", "1200"),
        ("pickup_at", "", "03/04/2027", None),
        ("pickup_at", "", "2027-04-03", "2027-04-03T04:00:00+00:00"),
    ],
)
def test_what_was_chosen_for_a_column_holds_for_its_cells(column, notation, text, value):
    lookups = parsing.Lookups(zone=LOOKUPS.zone, notations={column: notation})
    values, wrong = read_row([column], [text], lookups)
    assert (values.get(column), bool(wrong)) == (value, value is None)


@pytest.mark.parametrize("text", ["1.000", "45.000"])
def test_a_count_that_may_be_a_thousand_times_as_much_is_refused(text):
    assert read_row(["estimated_passengers"], [text], LOOKUPS) == ({}, {"Passengers": "A whole number is required."})


CURRENCIES = {
    "EUR": "says EUR",
    "€": "says €",
    "Canadian Dollar": "says Canadian",
    "USD": "",
    "usd": "",
    "$": "",
    "": "",
}


@pytest.mark.parametrize("name", CURRENCIES)
@pytest.mark.parametrize("header", ["Currency", "Deal - Currency of Value", "Lead Currency", "CurrencyIsoCode"])
def test_amounts_in_the_currency_that_another_column_names(header, name):
    columns = map_columns(["Company", "Value", "Quote", header])
    values, wrong = read_row(columns, ["Acme", "1200", "", name], LOOKUPS, ["Company", "Value", "Quote", header])
    if CURRENCIES[name]:
        assert (list(wrong), values) == (["Value"], {"company_name": "Acme"})
        assert f"the column {header} {CURRENCIES[name]}" in wrong["Value"]
    else:
        assert (wrong, values["estimated_value"]) == ({}, "1200")


LONG = ("a", "1", "a.", " ", "a ", "a@", "@", "<", '"', "a@x.example,", "a@x.example b ", "x<", "1 ", "1,", "$", "\n",
        "a\n", "or ", "\u00a0a", "-", "Ann <a@x.example>, ", "1/")  # fmt: skip


@pytest.mark.parametrize("piece", LONG)
def test_a_long_cell_takes_no_time_in_any_column(piece):
    """Rows are checked while others wait for the database: the time grows with the text, not with its square."""
    for column, length, end in itertools.product(COLUMNS, (290, 1_990, 32_760), ("!", "@", "x")):
        limit = 0.03 if length < 300 else 0.5
        for text in ((piece * length)[:length] + end, "1" + (piece * length)[:length] + end):
            attempts = (processor_seconds(column.name, text) for _ in range(3))  # the first may load something
            assert any(seconds < limit for seconds in attempts), (column.name, length)


def processor_seconds(name, text):
    started = time.process_time()
    read_row([name], [text], LOOKUPS)
    return time.process_time() - started
