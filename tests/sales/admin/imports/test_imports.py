"""The pages of imports and exports, as a user walks through them. (Who may open which: tests/rights.)"""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from sales.models import Lead, LeadExport, LeadImport
from sales.services.imports import import_batches
from sales.services.leads import search_index
from tests.rights.forms import untouched


def upload(client, content, name="leads.csv"):
    """Upload a file, and return the page that follows."""
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(reverse("admin:sales_leadimport_add"), {"file": file}, follow=True).content.decode()


@pytest.fixture
def client(browse, manager):
    return browse(manager)


@pytest.fixture
def post(client):
    """Post to a page of the only import, and return the page that follows."""

    def post(step, **data):
        address = reverse(f"admin:sales_leadimport_{step}", args=[LeadImport.objects.get().pk])
        return client.post(address, data, follow=True).content.decode()

    return post


@pytest.fixture
def preview(client, make_lead):
    """The page of a file with a duplicate, a wrong row and a new one."""
    make_lead(company_name="There", email="a@a.example", email_normalised="a@a.example", phone_normalised="")
    return upload(client, "Company,Email,Color\n<b>A</b>,a@a.example,red\nB,b@b,\nC,,\n")


@pytest.mark.parametrize(
    "words",
    [
        "&lt;b&gt;A&lt;/b&gt;",
        "Duplicate of <a",
        "Email: This is not an e",
        "Not imported: Color.",
        "<strong>2</strong> ready",
        "<strong>1</strong> duplicate<",
        "<strong>1</strong> wrong",
        "1 of the rows that are ready",
        "Import 1 row: skip duplicates",
        "Import 2 rows: update existing leads",
        "Import 2 rows: create new leads for duplicates",
    ],
)
def test_the_preview_says_what_the_file_would_do(preview, words):
    assert words in preview.replace("</li>", "<")
    assert Lead.objects.count() == 1


def test_the_wrong_rows_can_be_downloaded(client, preview):
    address = reverse("admin:sales_leadimport_wrong", args=[LeadImport.objects.get().pk])
    header, row = client.get(address).getvalue().decode("utf-8-sig").splitlines()
    assert header == "Company,Email,Color,What is wrong"
    assert row.startswith("B,b@b,,Email: This is not an e")


def test_an_import_can_be_started_once(preview, post):
    assert "Choose what to do with duplicates." in post("start")
    page = post("start", duplicates="skip")
    assert "<strong>1</strong> created" in page
    assert "<strong>1</strong> skipped" in page
    assert "is at another step" in post("start", duplicates="skip")


def test_undoing_is_asked_first(preview, post):
    post("start", duplicates="skip")

    page = post("undo")
    assert "1 lead that the import created will be archived" in page
    assert "that the import updated" not in page
    assert Lead.objects.filter(archived_at=None).count() == 2

    page = post("undo", **untouched(page))
    assert "<strong>1</strong> undone" in page
    assert list(Lead.objects.filter(archived_at=None).values_list("company_name", flat=True)) == ["There"]


def test_a_file_can_be_discarded(preview, post):
    assert "Discarded" in post("discard")
    assert LeadImport.objects.get().rows.count() == 0


@pytest.mark.parametrize("step", ["start", "discard", "undo", "sheet", "notation"])
def test_a_step_of_no_import_is_not_found_and_is_only_posted(client, step):
    address = reverse(f"admin:sales_leadimport_{step}", args=[999])
    assert client.post(address, {"duplicates": "skip", "post": "yes"}).status_code == 404
    assert client.get(address).status_code == 405


def test_a_file_that_can_not_be_read_says_why(client):
    page = upload(client, "Company\nA\n".encode("utf-32"))
    assert "The file is in UTF-32. Save it as “CSV UTF-8”." in page
    assert LeadImport.objects.get().state == "refused"


def test_an_empty_file_is_refused_by_the_form(client):
    assert "submitted file is empty" in upload(client, "")


def test_a_large_import_shows_its_progress(client, monkeypatch):
    monkeypatch.setattr(import_batches, "MAX_SMALL_ROWS", 1)
    page = upload(client, "Company\nA\nB\n")
    assert 'http-equiv="refresh"' in page
    assert "0 of 2 rows" in page

    import_batches.run_all()
    page = client.get(reverse("admin:sales_leadimport_change", args=[LeadImport.objects.get().pk]))
    assert 'http-equiv="refresh"' not in page.content.decode()


def test_the_template_can_be_imported(client):
    file = client.get(reverse("admin:sales_leadimport_template")).getvalue()
    assert "<strong>1</strong> ready" in upload(client, file)


def test_an_export_has_the_filters_the_search_and_the_order_of_the_list(client, make_lead, stranger):
    for name, status in (("Alpha", "new"), ("Beta", "new"), ("Gamma", "won")):
        make_lead(company_name=name, contact_name="Choir", status=status)
    make_lead(company_name="Choir of others", assigned_to=stranger)
    search_index.index_missing_leads(10)
    address = reverse("admin:sales_lead_export_csv") + "?status__exact=new&q=choir&o=1"

    lines = client.post(address).getvalue().decode("utf-8-sig").splitlines()

    assert [line.partition(",")[0] for line in lines] == ["Company", "Alpha", "Beta"]
    export = LeadExport.objects.get()
    assert export.leads == 2
    assert export.filters == {"status__exact": ["new"], "q": ["choir"]}
    assert client.post(address + "&nonsense=1").status_code == 302


@pytest.mark.parametrize("has_permission", [True, False])
def test_only_managers_have_the_buttons(browse, manager, rep, has_permission):
    client = browse(manager if has_permission else rep)
    page = client.get(reverse("admin:sales_lead_changelist")).content.decode()
    assert ("Export as CSV" in page) is has_permission
    assert ("/leadimport/add/" in page) is has_permission
