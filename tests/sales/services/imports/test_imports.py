"""The steps of an import: who may take them, when, and what they leave behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from athena.accounts.roles import Role
from sales import errors
from sales.models import ImportFile, ImportRow, Lead, LeadImport
from sales.services.imports import import_batches, imports
from tests.sales.exchange import hostile_workbooks

FILE = "Company\nA\nB\n"
AMBIGUOUS = 'Company,Pickup,Value\nA,03/04/2027,"1.234,50"\nB,12/04/2027,20\nC,13/04/2027,\n'


def make_workbook(*sheets, **options):
    return hostile_workbooks.workbook(*sheets, **options)


def make_sheet(company):
    return hostile_workbooks.sheet(f'<row r="2">{hostile_workbooks.text_cell("A2", company)}</row>')


def test_a_user_without_the_permission_uploads_nothing(rep):
    with pytest.raises(errors.NotAllowed):
        imports.upload(by=rep, file_name="x.csv", content=FILE.encode())
    assert LeadImport.objects.count() == 0


@pytest.mark.parametrize(
    "step",
    [
        lambda **args: imports.start(duplicates="skip", **args),
        lambda **args: imports.choose_sheet(sheet="Sheet2", **args),
        lambda **args: imports.choose_notations(written={}, **args),
        imports.discard,
        imports.undo,
    ],
    ids=["start", "choose_sheet", "choose_notations", "discard", "undo"],
)
def test_another_managers_import_is_not_found(upload, manager, make_user, step):
    other_manager = make_user("other", Role.MANAGER, manager.team)
    lead_import = upload(FILE)
    with pytest.raises(errors.NotFound):
        step(by=other_manager, import_id=lead_import.pk)


def test_a_step_at_the_wrong_time_is_a_conflict(upload, manager):
    lead_import = upload(FILE)
    with pytest.raises(errors.Conflict, match="is at another step: ready to review"):
        imports.undo(by=manager, import_id=lead_import.pk)
    imports.discard(by=manager, import_id=lead_import.pk)
    with pytest.raises(errors.Conflict, match="discarded"):
        imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")


def test_a_choice_for_duplicates_is_required(upload, manager):
    lead_import = upload(FILE)
    with pytest.raises(errors.Invalid, match="Choose what to do with duplicates"):
        imports.start(by=manager, import_id=lead_import.pk, duplicates="")


def test_a_file_that_is_too_large_is_refused(manager, monkeypatch):
    monkeypatch.setattr(imports.file_reader, "MAX_FILE_BYTES", len(FILE))
    imports.upload(by=manager, file_name="x.csv", content=FILE.encode())
    with pytest.raises(errors.Invalid, match="Split it and upload the parts"):
        imports.upload(by=manager, file_name="x.csv", content=FILE.encode() + b"\n")
    assert LeadImport.objects.count() == 1


def test_discarding_deletes_what_one_import_holds_and_no_other(upload, manager):
    workbook = make_workbook(make_sheet("Alpha"), make_sheet("Beta"))
    discarded, other = upload(workbook), upload(workbook)

    imports.discard(by=manager, import_id=discarded.pk)

    discarded.refresh_from_db()
    assert discarded.state == "discarded"
    assert discarded.finished_at is not None
    assert Lead.objects.count() == 0
    assert [row.lead_import_id for row in ImportRow.objects.all()] == [other.pk]
    assert [file.lead_import_id for file in ImportFile.objects.all()] == [other.pk]


def test_rows_and_files_are_deleted_after_their_time_unless_the_import_is_under_way(upload, import_file):
    workbook = make_workbook(make_sheet("Alpha"), make_sheet("Beta"))
    old, old_waiting, old_unfinished = import_file(FILE), upload(workbook), upload(workbook)
    young, young_waiting = import_file(FILE), upload(workbook)
    LeadImport.objects.filter(pk=old_unfinished.pk).update(state="importing")
    olds = (old, old_waiting, old_unfinished)
    LeadImport.objects.filter(pk__in=[lead_import.pk for lead_import in olds]).update(
        created_at=timezone.now() - timedelta(days=91)
    )

    assert imports.delete_old_rows() == 3  # two of `old`, one of `old_waiting`

    kept = {old_unfinished.pk, young.pk, young_waiting.pk}
    assert set(ImportRow.objects.values_list("lead_import", flat=True)) == kept
    assert set(ImportFile.objects.values_list("lead_import", flat=True)) == {old_unfinished.pk, young_waiting.pk}
    assert LeadImport.objects.count() == 5


def test_another_sheet_can_be_chosen_until_the_import_starts(upload, manager):
    lead_import = upload(make_workbook(make_sheet("Alpha"), make_sheet("Beta"), names=["January", "February"]))
    assert lead_import.sheet == "January"
    assert lead_import.other_sheets == ["February"]
    assert lead_import.rows.get().cells == ["Alpha"]
    with pytest.raises(errors.Invalid):
        imports.choose_sheet(by=manager, import_id=lead_import.pk, sheet="March")

    imports.choose_sheet(by=manager, import_id=lead_import.pk, sheet="February")
    import_batches.run_or_publish(lead_import.pk)

    lead_import.refresh_from_db()
    assert lead_import.sheet == "February"
    assert lead_import.rows.get().cells == ["Beta"]
    imports.start(by=manager, import_id=lead_import.pk, duplicates="skip")
    assert ImportFile.objects.count() == 0
    with pytest.raises(errors.Conflict):
        imports.choose_sheet(by=manager, import_id=lead_import.pk, sheet="January")


def test_choosing_a_sheet_leaves_other_imports_alone(upload, manager):
    workbook = make_workbook(make_sheet("Alpha"), make_sheet("Beta"))
    other, lead_import = upload(workbook), upload(workbook)

    imports.choose_sheet(by=manager, import_id=lead_import.pk, sheet="Sheet2")
    import_batches.run_or_publish(lead_import.pk)

    assert lead_import.rows.get().cells == ["Beta"]
    assert other.rows.get().cells == ["Alpha"]


def test_if_the_first_sheet_can_not_be_read_another_can(upload, manager):
    lead_import = upload(make_workbook(hostile_workbooks.sheet(""), make_sheet("Beta")))
    assert lead_import.state == "refused"
    assert lead_import.error == "There are no rows below the header."

    imports.choose_sheet(by=manager, import_id=lead_import.pk, sheet="Sheet2")
    import_batches.run_or_publish(lead_import.pk)

    lead_import.refresh_from_db()
    assert lead_import.state == "checked"
    assert lead_import.error == ""
    assert lead_import.rows.get().state == "ready"


def test_ambiguous_cells_are_not_read_until_the_user_chooses(upload, manager):
    other, lead_import = upload(AMBIGUOUS), upload(AMBIGUOUS)
    assert [row.values for row in lead_import.rows.all()] == [
        {"company_name": "A"},
        {"company_name": "B", "estimated_value": "20"},
        {"company_name": "C"},
    ]
    assert {name: stored["written"] for name, stored in lead_import.notations.items()} == {
        "pickup_at": "",
        "estimated_value": "",
    }
    assert {name: stored["likely"] for name, stored in lead_import.notations.items()} == {
        "pickup_at": "day",
        "estimated_value": "comma",
    }

    written = {"pickup_at": "day", "estimated_value": "comma"}
    imports.choose_notations(by=manager, import_id=lead_import.pk, written=written)
    import_batches.run_or_publish(lead_import.pk)

    assert [row.state for row in lead_import.rows.all()] == ["ready", "ready", "ready"]
    days = [row.values["pickup_at"][:10] for row in lead_import.rows.all()]
    assert days == ["2027-04-03", "2027-04-12", "2027-04-13"]
    assert lead_import.rows.get(line=2).values["estimated_value"] == "1234.50"
    assert "pickup_at" not in other.rows.get(line=2).values


@pytest.mark.parametrize(
    "written",
    [
        pytest.param({"pickup_at": "comma", "estimated_value": "comma"}, id="of another kind"),
        pytest.param({"pickup_at": "", "estimated_value": "comma"}, id="not chosen"),
        pytest.param({"pickup_at": "day"}, id="a column is missing"),
        pytest.param({"pickup_at": "day", "estimated_value": "comma", "phone": "day"}, id="a column too many"),
    ],
)
def test_a_notation_is_required_for_each_ambiguous_column(upload, manager, written):
    lead_import = upload(AMBIGUOUS)
    with pytest.raises(errors.Invalid, match="Choose how each of these columns is written"):
        imports.choose_notations(by=manager, import_id=lead_import.pk, written=written)
    lead_import.refresh_from_db()
    assert lead_import.state == "checked"
