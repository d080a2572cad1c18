"""The page of a file shows each value as it was read, how the file was read, and asks what is in doubt."""

import html
import re

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


def send(client, content):
    file = SimpleUploadedFile("leads", content.encode() if isinstance(content, str) else content)
    return client.post(reverse("admin:sales_leadimport_add"), {"file": file}, follow=True).content.decode()


def shown(page):
    """The words of the cells of the table of rows."""
    table = page[page.index('aria-labelledby="rows"') :]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", table, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


def test_every_value_is_shown_as_it_was_read(browse, manager, rep):
    LeadSource.objects.create(name="Ads")
    client = browse(manager)
    page = send(client, FILE)
    assert "03/04/2027" in shown(page)  # not read yet
    assert "not read until you choose" in page
    made = LeadImport.objects.get()
    page = client.post(
        reverse("admin:sales_leadimport_notation", args=[made.pk]), {"pickup_at": "day"}, follow=True
    ).content.decode()
    assert shown(page) == [
        "2", "Ready", "Notes: Kept here: Mobile: 617-555-0101. Phone: “p:” was removed. "
        "Value: Rounded from 1353.125.", "A", "Ann Lee", "617-555-0102", "Sat 3 Apr 2027",
        "$1,353.13", "$2,400", "1,200", str(rep), "Ads", "Quoted", "yes", "Sat 1 May 2027", "Mobile: 617-555-0101",
    ]  # fmt: skip
    assert "<strong>1</strong> cleaned" in page
    answer = client.post(reverse("admin:sales_leadimport_notation", args=[made.pk]), {"pickup_at": "x"}, follow=True)
    assert "Choose how each of these columns is written." in answer.content.decode()


def test_another_sheet_is_chosen_on_the_page(browse, manager):
    client = browse(manager)
    sheets = (
        hostile_workbooks.sheet(f'<row r="2">{hostile_workbooks.text_cell("A2", name)}</row>')
        for name in ("Alpha", "Beta")
    )
    page = send(client, hostile_workbooks.workbook(*sheets, names=["Jan &amp; Feb", "March"]))
    assert "The sheet “Jan &amp; Feb” was read. Left out: “March”." in page
    choose = reverse("admin:sales_leadimport_sheet", args=[LeadImport.objects.get().pk])
    page = client.post(choose, {"sheet": "March"}, follow=True).content.decode()
    assert shown(page) == ["2", "Ready", "", "Beta"]
    assert "Choose one of the file" in client.post(choose, {"sheet": "March"}, follow=True).content.decode()


def test_the_page_asks_the_same_number_of_questions_for_any_number_of_rows(browse, manager, make_user):
    LeadSource.objects.create(name="Ads")
    client, counts = browse(manager), []
    users = [make_user(f"user{n}") for n in range(9)]
    for rows in (1, 9):
        lines = "".join(f"A{n},ads,{users[n].email}\n" for n in range(rows))
        send(client, f"Company,Source,Owner\n{lines}")
        page = reverse("admin:sales_leadimport_change", args=[LeadImport.objects.latest("pk").pk])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(page).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
