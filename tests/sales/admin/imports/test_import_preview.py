"""The page of an import shows each value as it was read, says how the file was read, and asks what is unclear."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sales.models import LeadImport, LeadSource
from tests.sales.exchange import hostile_workbooks

FILE = (
    "Company,First Name,Last Name,Mobile,Phone,Pickup,Value,Quote,Pax,Owner,Source,Status,Repeat,Quote valid until\n"
    "A,Ann,Lee,617-555-0101,p:617-555-0102,03/04/2027,1353.125,2400,1200,maria@example.com,ads,quoted,x,2027-05-01\n"
)


@pytest.fixture
def client(browse, manager):
    return browse(manager)


def upload(client, content):
    file = SimpleUploadedFile("leads", content.encode() if isinstance(content, str) else content)
    return client.post(reverse("admin:sales_leadimport_add"), {"file": file}, follow=True).content.decode()


def post(client, step, data):
    address = reverse(f"admin:sales_leadimport_{step}", args=[LeadImport.objects.get().pk])
    return client.post(address, data, follow=True).content.decode()


def get_cells(page):
    """The text of the cells in the table of rows."""
    table = page[page.index('aria-labelledby="rows"') :]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", table, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


def test_every_value_is_shown_as_it_was_read(client, rep):
    LeadSource.objects.create(name="Ads")
    upload(client, FILE)

    page = post(client, "notation", {"pickup_at": "day"})

    assert "<strong>1</strong> cleaned" in page
    assert get_cells(page) == [
        "2",
        "Ready",
        "Notes: Kept here: Mobile: 617-555-0101. Phone: “p:” was removed. Value: Rounded from 1353.125.",
        "A",
        "Ann Lee",
        "617-555-0102",
        "Sat 3 Apr 2027",
        "$1,353.13",
        "$2,400",
        "1,200",
        str(rep),
        "Ads",
        "Quoted",
        "yes",
        "Sat 1 May 2027",
        "Mobile: 617-555-0101",
    ]


def test_an_ambiguous_date_is_shown_as_written_until_the_user_chooses(client, rep):
    page = upload(client, FILE)
    assert "03/04/2027" in get_cells(page)
    assert "not read until you choose" in page
    assert "Choose how each of these columns is written." in post(client, "notation", {"pickup_at": "x"})
    assert "Choose how each of these columns is written." in post(client, "notation", {})


def test_another_sheet_is_chosen_on_the_page(client):
    sheets = (
        hostile_workbooks.sheet(f'<row r="2">{hostile_workbooks.text_cell("A2", name)}</row>')
        for name in ("Alpha", "Beta")
    )
    page = upload(client, hostile_workbooks.workbook(*sheets, names=["Jan &amp; Feb", "March"]))
    assert "The sheet “Jan &amp; Feb” was read. Left out: “March”." in page

    page = post(client, "sheet", {"sheet": "March"})
    assert get_cells(page) == ["2", "Ready", "", "Beta"]
    assert "Choose one of the file" in post(client, "sheet", {"sheet": "March"})


def test_the_page_takes_as_many_queries_for_many_rows_as_for_one(client, make_user):
    LeadSource.objects.create(name="Ads")
    users = [make_user(f"user{number}") for number in range(9)]
    query_counts = []
    for count in (1, 9):
        rows = "".join(f"A{number},ads,{users[number].email}\n" for number in range(count))
        upload(client, f"Company,Source,Owner\n{rows}")
        page = reverse("admin:sales_leadimport_change", args=[LeadImport.objects.latest("pk").pk])
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        query_counts.append(len(queries))
    assert query_counts[0] == query_counts[1]
