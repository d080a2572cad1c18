"""The pages of imports and exports, as somebody walks through them. (Who opens which: tests/rights.)"""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from sales.models import Lead, LeadExport, LeadImport
from sales.services.imports import import_batches
from sales.services.leads import search_index
from tests.rights.forms import untouched


def send(client, text, name="leads.csv"):
    file = SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)
    return client.post(reverse("admin:sales_leadimport_add"), {"file": file}, follow=True)


def test_from_the_file_to_the_leads_and_back(browse, manager, make_lead):
    make_lead(company_name="There", email="a@a.example", email_normalised="a@a.example", phone_normalised="")
    client = browse(manager)
    page = send(client, "Company,E-mail,Color\n<b>A</b>,a@a.example,red\nB,b@b,\nC,,\n").content.decode()
    assert Lead.objects.count() == 1
    for words in (
        "&lt;b&gt;A&lt;/b&gt;", "Duplicate of <a", "Email: This is not an e-mail address.",
        "Not imported: Color.", "<strong>2</strong> ready", "<strong>1</strong> wrong",
        "Import 1 row: skip", "Import 2 rows: update",
    ):  # fmt: skip
        assert words in page
    made = LeadImport.objects.get()

    wrong = client.get(reverse("admin:sales_leadimport_wrong", args=[made.pk]))
    assert wrong.getvalue().decode("utf-8-sig") == (
        "Company,E-mail,Color,What is wrong\r\nB,b@b,,Email: This is not an e-mail address.\r\n"
    )
    start = reverse("admin:sales_leadimport_start", args=[made.pk])
    assert "Choose what to do with duplicates." in client.post(start, follow=True).content.decode()
    page = client.post(start, {"duplicates": "skip"}, follow=True).content.decode()
    assert ("<strong>1</strong> created" in page, "<strong>1</strong> skipped" in page) == (True, True)
    assert "is at another step" in client.post(start, {"duplicates": "skip"}, follow=True).content.decode()
    undo = reverse("admin:sales_leadimport_undo", args=[made.pk])
    page = client.post(undo, follow=True).content.decode()
    assert "1 lead that the import created will be archived" in page
    assert "that the import updated" not in page
    assert Lead.objects.filter(archived_at=None).count() == 2
    page = client.post(undo, untouched(page), follow=True).content.decode()
    assert "<strong>1</strong> undone" in page
    assert list(Lead.objects.filter(archived_at=None).values_list("company_name", flat=True)) == ["There"]


def test_a_file_that_can_not_be_read_says_why(browse, manager):
    page = send(browse(manager), "Company\nA\n".encode("utf-32")).content.decode()
    assert "The file is in UTF-32. Save it as “CSV UTF-8”." in page
    assert LeadImport.objects.get().state == "refused"
    assert "submitted file is empty" in send(browse(manager), "").content.decode()


def test_a_large_import_shows_how_far_it_is(browse, manager, monkeypatch):
    monkeypatch.setattr(import_batches, "MAX_SMALL_ROWS", 1)
    page = send(browse(manager), "Company\nA\nB\n").content.decode()
    assert ('http-equiv="refresh"' in page, "0 of 2 rows" in page) == (True, True)
    import_batches.run_all()
    page = browse(manager).get(reverse("admin:sales_leadimport_change", args=[LeadImport.objects.get().pk]))
    assert 'http-equiv="refresh"' not in page.content.decode()


def test_the_template_can_be_imported(browse, manager):
    file = browse(manager).get(reverse("admin:sales_leadimport_template")).getvalue()
    assert "<strong>1</strong> ready" in send(browse(manager), file).content.decode()


def test_an_export_has_the_lists_filters_search_and_order(browse, manager, make_lead, stranger):
    for name, status in (("Alpha", "new"), ("Beta", "new"), ("Gamma", "won")):
        make_lead(company_name=name, contact_name="Choir", status=status)
    make_lead(company_name="Choir of others", assigned_to=stranger)
    search_index.index_missing_leads(10)
    address = reverse("admin:sales_lead_export_csv") + "?status__exact=new&q=choir&o=1"
    lines = browse(manager).post(address).getvalue().decode("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["Company", "Alpha", "Beta"]
    found = LeadExport.objects.get()
    assert (found.leads, found.filters) == (2, {"status__exact": ["new"], "q": ["choir"]})
    assert browse(manager).post(address + "&nonsense=1").status_code == 302


def test_the_buttons_are_for_managers(browse, manager, rep):
    pages = [browse(who).get(reverse("admin:sales_lead_changelist")).content.decode() for who in (manager, rep)]
    assert [("Export as CSV" in page, "/leadimport/add/" in page) for page in pages] == [(True, True), (False, False)]
