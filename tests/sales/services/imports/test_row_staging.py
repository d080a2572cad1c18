"""A file is read in no transaction and by one worker at a time; all of its rows are staged, or none."""

import threading

import pytest
from django.db import connection, transaction
from django.urls import reverse

from sales.exchange import file_reader, subprocess_reader
from sales.models import ImportFile, ImportRow, LeadImport, LeadSource
from sales.services.imports import import_batches, row_staging
from tests.sales.exchange import hostile_workbooks
from tests.sales.services.imports.conftest import row_states

FILE = "Company\nA\nB\n"


def write_meanwhile(lead_import, results):
    """Write to other tables, and to the import, over a connection of its own."""
    connection.connect()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 300")
        else:
            cursor.execute("SET lock_timeout = '300ms'")
    try:
        LeadSource.objects.create(name="Meanwhile")
        LeadImport.objects.filter(pk=lead_import.pk).update(file_name="renamed")
        results.append("written")
    except Exception as error:
        results.append(type(error).__name__)
    finally:
        connection.close()


@pytest.mark.parametrize("in_transaction", [False, True], ids=["as it is", "control: in a transaction"])
@pytest.mark.django_db(transaction=True)
def test_others_can_write_while_a_file_is_read(upload, monkeypatch, in_transaction):
    lead_import = upload("Company\nA\n", work=False)
    read_file, results = file_reader.read_file, []

    def read_slowly(*args):
        thread = threading.Thread(target=write_meanwhile, args=(lead_import, results))
        thread.start()
        thread.join()
        return read_file(*args)

    monkeypatch.setattr(file_reader, "read_file", read_slowly)
    if in_transaction:
        with transaction.atomic():
            row_staging.stage_file(lead_import.pk)
        assert results == ["OperationalError"]
    else:
        assert row_staging.stage_file(lead_import.pk)
        assert results == ["written"]


def test_two_workers_do_not_read_one_file_and_that_of_a_dead_worker_is_read_anew(upload, monkeypatch):
    lead_import = upload(FILE, work=False)
    insert = row_staging.insert_ignoring_conflicts

    def insert_and_be_killed(*args):
        insert(*args)
        assert row_staging.stage_file(lead_import.pk) is None  # another worker, meanwhile
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(row_staging, "insert_ignoring_conflicts", insert_and_be_killed)
        with pytest.raises(SystemExit):
            row_staging.stage_file(lead_import.pk)
    # A worker that is killed with -9 leaves its claim, which expires, and rows.
    LeadImport.objects.filter(pk=lead_import.pk).update(reading_until="2026-01-01T00:00:00Z")
    ImportRow.objects.create(lead_import=lead_import, line=9, cells=["left behind"])

    assert import_batches.run_all() == 2

    lead_import.refresh_from_db()
    assert lead_import.state == "checked"
    assert lead_import.reading_until is None
    assert row_states(lead_import) == {2: "ready", 3: "ready"}


@pytest.mark.parametrize("content", [FILE, "Company\n"], ids=["a good file", "a refused file"])
def test_a_worker_that_has_lost_its_claim_writes_nothing(upload, monkeypatch, content):
    lead_import = upload(content, work=False)
    open_sheet = subprocess_reader.open_sheet

    def open_slowly(*args):
        LeadImport.objects.filter(pk=lead_import.pk).update(reading_until="2036-01-01T00:00:00Z")  # another worker
        return open_sheet(*args)

    monkeypatch.setattr(subprocess_reader, "open_sheet", open_slowly)
    assert row_staging.stage_file(lead_import.pk) is None

    lead_import.refresh_from_db()
    assert lead_import.state == "reading"
    assert lead_import.reading_until.year == 2036
    assert row_states(lead_import) == {}
    assert ImportFile.objects.count() == 1


def test_an_error_of_ours_ends_the_import_and_its_claim(upload, monkeypatch):
    lead_import = upload(FILE, work=False)
    monkeypatch.setattr(subprocess_reader, "open_sheet", lambda *args: 1 / 0)

    assert import_batches.run_all() == 0

    lead_import.refresh_from_db()
    assert lead_import.state == "failed"
    assert lead_import.reading_until is None


def test_a_file_that_is_small_but_large_unpacked_is_left_to_the_workers(upload):
    far_row = f'<row r="500000">{hostile_workbooks.text_cell("A500000", "A")}</row>'
    content = hostile_workbooks.workbook(hostile_workbooks.sheet("<row/>" * 400_000 + far_row))
    assert len(content) < 10_000

    lead_import = upload(content)
    assert lead_import.state == "reading"
    assert lead_import.reading_until is None
    assert row_states(lead_import) == {}

    import_batches.run_all()
    lead_import.refresh_from_db()
    assert lead_import.state == "checked"
    assert row_states(lead_import) == {500_000: "ready"}


def test_a_hostile_file_is_refused_and_stays_so(upload):
    lead_import = upload(hostile_workbooks.HOSTILE["millions of cells in one row"]())
    import_batches.run_all()
    lead_import.refresh_from_db()
    assert lead_import.state == "refused"
    assert "too large" in lead_import.error
    assert ImportFile.objects.count() == 0
    assert import_batches.run_all() == 0


def test_reading_a_file_leaves_other_imports_alone(upload):
    others = [upload(FILE), upload(FILE, work=False)]
    before = list(LeadImport.objects.order_by("pk").values())

    lead_import = upload(FILE)

    assert row_states(lead_import) == row_states(others[0]) == {2: "ready", 3: "ready"}
    assert row_states(others[1]) == {}
    assert list(LeadImport.objects.exclude(pk=lead_import.pk).order_by("pk").values()) == before
    assert [file.lead_import for file in ImportFile.objects.all()] == [others[1]]


WRONG = (
    "Company,=cmd,Contact,Email,Notes\n"
    "Smith, Jones & Co,,Ana Ruiz,,Wants two,coaches\n"
    '"=B2&"" High""",,Ana Vale,not-an-address,x\n'
    '"Beta",,Cy Moe,cy@beta.example,"=== log ===\ncalled"\n'
    "'=Good,'+1,Al,not-one,'-1\n"
    "''=Twice,,Al,not-one,''''-1\n"
    " A,,B,no,C,,,D\n"
    "Fine,,,,\n"
)


def test_wrong_rows_that_are_uploaded_again_are_as_wrong_as_before_however_often(upload, browse, manager):
    lead_import, client = upload(WRONG), browse(manager)
    first = list(lead_import.rows.filter(state="wrong").values_list("cells", "problems"))
    assert len(first) == 6
    for _ in range(3):
        file = client.get(reverse("admin:sales_leadimport_wrong", args=[lead_import.pk])).getvalue()
        assert not [line for line in file.decode("utf-8-sig").splitlines() if line.startswith(("=", "+", "-", "@"))]
        assert ",'=cmd," in file.decode()
        lead_import = upload(file)
        assert lead_import.header == ["Company", "=cmd", "Contact", "Email", "Notes"]
        assert lead_import.unused_headers == ["=cmd"]
        assert list(lead_import.rows.values_list("cells", "problems")) == first


def test_a_row_that_has_lost_its_extra_cells_stays_wrong(upload):
    lead_import = upload(
        "Company,Contact,What is wrong\nSmith, Jones,Line: It has more cells than the header.\nA,B,Email: x\n"
    )
    assert row_states(lead_import) == {2: "wrong", 3: "ready"}
