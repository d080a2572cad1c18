"""A file is read in no transaction, by one worker at a time; in doubt a person chooses, and nothing is lost."""

import threading

import pytest
from django.db import connection
from django.urls import reverse

from sales import errors
from sales.exchange import file_reader, subprocess_reader
from sales.models import ImportFile, ImportRow, Lead, LeadImport, LeadSource
from sales.services.imports import import_batches, imports, row_staging
from tests.sales.exchange import hostile_workbooks

DATES = 'Company,Pickup,Value\nA,03/04/2027,"1.234,50"\nB,12/04/2027,20\nC,13/04/2027,\n'


@pytest.fixture
def send(manager):
    def send(content, now=True):
        content = content.encode() if isinstance(content, str) else content
        made = imports.upload(by=manager, file_name="leads", content=content)
        if now:
            import_batches.run_or_publish(made.pk)
        made.refresh_from_db()
        return made

    return send


def rows(made):
    return list(made.rows.order_by("line").values_list("line", "state"))


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.django_db(transaction=True)
def test_others_write_while_a_file_is_read(send, monkeypatch, held, settings):
    """With `held`, the control, it is read in a transaction that has written, as it used to be."""
    made = send("Company\nA\n", now=False)
    read, written = file_reader.read_file, []

    def write():
        connection.connect()
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA busy_timeout = 300")
            else:
                cursor.execute("SET lock_timeout = '300ms'")
        try:
            LeadSource.objects.create(name="Meanwhile")
            LeadImport.objects.filter(pk=made.pk).update(file_name="renamed")
            written.append(True)
        except Exception as error:
            written.append(type(error).__name__)
        finally:
            connection.close()

    def reading(*args):
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        return read(*args)

    monkeypatch.setattr(file_reader, "read_file", reading)
    if held:
        from django.db import transaction

        with transaction.atomic():
            row_staging.stage_file(made.pk)
    else:
        assert row_staging.stage_file(made.pk)
    assert written == (["OperationalError"] if held else [True])


def test_two_workers_do_not_read_one_file_and_a_dead_ones_is_read_anew(send, monkeypatch):
    made = send("Company\nA\nB\n", now=False)
    stage = row_staging.insert_ignoring_conflicts

    def killed(*args):
        stage(*args)
        assert not row_staging.stage_file(made.pk)  # another worker, meanwhile
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(row_staging, "insert_ignoring_conflicts", killed)
        with pytest.raises(SystemExit):
            row_staging.stage_file(made.pk)
    LeadImport.objects.filter(pk=made.pk).update(
        reading_until="2026-01-01T00:00:00Z"
    )  # a kill -9 leaves it, and it lapses
    ImportRow.objects.create(lead_import=made, line=9, cells=["left behind"])
    assert import_batches.run_all() == 2
    made.refresh_from_db()
    assert (made.state, rows(made)) == ("checked", [(2, "ready"), (3, "ready")])


def test_whoever_lost_the_claim_writes_nothing(send, monkeypatch):
    made = send("Company\nA\nB\n", now=False)
    read = subprocess_reader.open_sheet

    def slow(*args):
        LeadImport.objects.filter(pk=made.pk).update(reading_until="2036-01-01T00:00:00Z")  # by the next worker
        return read(*args)

    monkeypatch.setattr(subprocess_reader, "open_sheet", slow)
    assert not row_staging.stage_file(made.pk)
    assert (rows(made), ImportFile.objects.count()) == ([], 1)


def test_a_large_file_is_left_to_the_workers_even_if_it_is_small_packed(send):
    content = hostile_workbooks.workbook(
        hostile_workbooks.sheet(
            "<row/>" * 400_000 + f'<row r="500000">{hostile_workbooks.text_cell("A500000", "A")}</row>'
        )
    )
    assert len(content) < 10_000
    made = send(content)
    assert (made.state, rows(made)) == ("reading", [])
    import_batches.run_all()
    made.refresh_from_db()
    assert (made.state, rows(made)) == ("checked", [(500_000, "ready")])


def test_a_hostile_file_is_refused_and_stays_so(send):
    made = send(hostile_workbooks.EVIL["millions of cells in one row"]())
    import_batches.run_all()
    made.refresh_from_db()
    assert (made.state, "too large" in made.error, ImportFile.objects.count()) == ("refused", True, 0)
    assert import_batches.run_all() == 0


def test_another_sheet_can_be_chosen_until_the_import_starts(send, manager):
    sheets = (
        hostile_workbooks.sheet(f'<row r="2">{hostile_workbooks.text_cell("A2", name)}</row>')
        for name in ("Alpha", "Beta")
    )
    made = send(hostile_workbooks.workbook(*sheets, names=["January", "February"]))
    assert (made.sheet, made.other_sheets, made.rows.get().cells) == ("January", ["February"], ["Alpha"])
    with pytest.raises(errors.Invalid):
        imports.choose_sheet(by=manager, import_id=made.pk, sheet="March")
    imports.choose_sheet(by=manager, import_id=made.pk, sheet="February")
    import_batches.run_or_publish(made.pk)
    made.refresh_from_db()
    assert (made.sheet, made.rows.get().cells) == ("February", ["Beta"])
    imports.start(by=manager, import_id=made.pk, duplicates="skip")
    assert ImportFile.objects.count() == 0
    with pytest.raises(errors.Conflict):
        imports.choose_sheet(by=manager, import_id=made.pk, sheet="January")


def test_a_file_whose_first_sheet_can_not_be_read_can_be_read_at_another(send, manager):
    made = send(
        hostile_workbooks.workbook(hostile_workbooks.sheet(""), hostile_workbooks.sheet(hostile_workbooks.A_ROW))
    )
    assert (made.state, made.error) == ("refused", "There are no rows below the header.")
    imports.choose_sheet(by=manager, import_id=made.pk, sheet="Sheet2")
    import_batches.run_or_publish(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error, rows(made)) == ("checked", "", [(2, "ready")])
    imports.discard(by=manager, import_id=made.pk)
    assert ImportFile.objects.count() == 0


def test_nothing_of_a_doubted_column_is_read_until_a_person_chooses(send, manager):
    made = send(DATES)
    assert [row.values for row in made.rows.all()] == [
        {"company_name": "A"}, {"company_name": "B", "estimated_value": "20"}, {"company_name": "C"},
    ]  # fmt: skip
    assert {name: (each["written"], each["likely"]) for name, each in made.notations.items()} == {
        "pickup_at": ("", "day"), "estimated_value": ("", "comma"),
    }  # fmt: skip
    for wrong in ({"pickup_at": "comma"}, {"pickup_at": ""}, {"phone": "day"}):
        with pytest.raises(errors.Invalid):
            imports.choose_notations(by=manager, import_id=made.pk, written=wrong)
    imports.choose_notations(by=manager, import_id=made.pk, written={"pickup_at": "day", "estimated_value": "comma"})
    import_batches.run_or_publish(made.pk)
    made.refresh_from_db()
    assert [(row.state, row.values.get("pickup_at", "")[:10]) for row in made.rows.all()] == [
        ("ready", "2027-04-03"), ("ready", "2027-04-12"), ("ready", "2027-04-13"),
    ]  # fmt: skip
    assert made.rows.get(line=2).values["estimated_value"] == "1234.50"


WRONG = (
    "Company,=cmd,Contact,E-mail,Notes\n"
    "Smith, Jones & Co,,Ana Ruiz,,Wants two,coaches\n"
    '"=B2&"" High""",,Ana Vale,not-an-address,x\n'
    '"Beta",,Cy Moe,cy@beta.example,"=== log ===\ncalled"\n'
    "'=Good,'+1,Al,not-one,'-1\n"
    "''=Twice,,Al,not-one,''''-1\n"
    " A,,B,no,C,,,D\n"
    "Fine,,,,\n"
)


def test_the_wrong_rows_sent_again_are_as_wrong_as_they_were_however_often(send, browse, manager):
    made, client = send(WRONG), browse(manager)
    first = list(made.rows.filter(state="wrong").values_list("cells", "problems"))
    assert len(first) == 6
    for _ in range(3):
        file = client.get(reverse("admin:sales_leadimport_wrong", args=[made.pk])).getvalue()
        assert not [line for line in file.decode("utf-8-sig").splitlines() if line.startswith(("=", "+", "-", "@"))]
        assert ",'=cmd," in file.decode()
        made = send(file)
        assert (made.header, made.unused_headers) == (["Company", "=cmd", "Contact", "E-mail", "Notes"], ["=cmd"])
        assert list(made.rows.values_list("cells", "problems")) == first


def test_a_row_whose_cells_were_dropped_once_stays_wrong(send):
    made = send("Company,Contact,What is wrong\nSmith, Jones,Line: It has more cells than the header.\nA,B,E-mail: x\n")
    assert rows(made) == [(2, "wrong"), (3, "ready")]


def test_what_is_kept_goes_into_the_notes_and_takes_nothing_out_of_them(send, manager, make_lead):
    lead = make_lead(
        email="a@a.example", email_normalised="a@a.example", notes="Nice people", phone="", phone_normalised=""
    )
    text = "Company,E-mail,Phone,Mobile\nA,a@a.example; b@a.example,212 555 0100,212 555 0101\n"
    text += "B,,212 555 0102,212 555 0103\n"
    for _ in range(2):
        made = send(text)
        imports.start(by=manager, import_id=made.pk, duplicates="update")
        import_batches.run_or_publish(made.pk)
    lead.refresh_from_db()
    assert lead.notes == "Nice people\nEmail: b@a.example\nMobile: 212 555 0101"
    assert Lead.objects.get(company_name="B").notes == "Mobile: 212 555 0103"


def test_placeholders_identify_nobody(send, manager, make_lead):
    make_lead(company_name="VIP", phone="9999999999", phone_normalised="+19999999999")
    numbers = (
        "000-000-0000",
        "0000000000",
        "1234567890",
        "123-456-7890",
        "9999999999",
        "(999) 999-9999",
        "617-000-0000",
    )
    made = send("Company,Phone\n" + "".join(f"A{n},{number}\n" for n, number in enumerate(numbers)))
    assert set(made.rows.values_list("same_as", "same_line", "phone_normalised")) == {(None, None, "")}


def test_files_that_wait_for_a_choice_are_forgotten_with_their_rows(send):
    made = send(
        hostile_workbooks.workbook(
            hostile_workbooks.sheet(hostile_workbooks.A_ROW), hostile_workbooks.sheet(hostile_workbooks.A_ROW)
        )
    )
    LeadImport.objects.filter(pk=made.pk).update(created_at="2026-01-01T00:00:00Z")
    imports.delete_old_rows()
    assert ImportFile.objects.count() == ImportRow.objects.count() == 0
