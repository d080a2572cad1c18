"""An export holds the leads that its user can see, no cell of it is a formula, and it is recorded."""

import csv
import io

import openpyxl
import pytest

from sales import errors
from sales.models import Lead, LeadExport, LeadSource
from sales.services.imports import exports


def read_csv(parts):
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode("utf-8-sig"), newline="")))


@pytest.fixture
def leads(make_lead, rep, stranger):
    make_lead(
        company_name="=cmd()",
        contact_name="Ann",
        phone="+12125550100",
        notes="one\n=two",
        assigned_to=rep,
        source=LeadSource.objects.create(name="Ads"),
        estimated_value="12.50",
        pickup_at="2026-05-01T12:30Z",
        is_repeat=True,
        score=7,
    )
    make_lead(company_name="Theirs", assigned_to=stranger)
    return Lead.objects.order_by("pk")


def test_a_csv_file_holds_the_visible_leads(leads, manager):
    (row,) = read_csv(exports.export_csv(by=manager, leads=leads, filters={}))
    assert {name: value for name, value in row.items() if value} == {
        "Company": "'=cmd()",
        "Contact": "Ann",
        "Phone": "'+12125550100",
        "Status": "New",
        "Owner": "maria@example.com",
        "Source": "Ads",
        "Pickup at": "2026-05-01 12:30:00+00:00",
        "Value": "12.50",
        "Repeat client": "yes",
        "Notes": "one\n'=two",
        "Score": "7",
        "Lead": str(leads[0].pk),
        "Created": f"{leads[0].created_at:%Y-%m-%d %H:%M:%S}+00:00",
    }


def test_an_export_is_recorded_with_its_filters_and_its_size(leads, manager):
    list(exports.export_csv(by=manager, leads=leads, filters={"q": ["x"]}))
    export = LeadExport.objects.get()
    assert export.by == manager
    assert export.file_format == "csv"
    assert export.filters == {"q": ["x"]}
    assert export.leads == 1


def test_a_download_that_is_cut_off_is_recorded_without_a_size(leads, manager):
    exports.export_csv(by=manager, leads=leads, filters={})
    assert LeadExport.objects.get().leads is None


def test_an_excel_file_has_numbers_and_times_with_their_offset(leads, manager):
    content = exports.export_xlsx(by=manager, leads=leads, filters={})
    header, row = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()
    cells = {name.value: cell for name, cell in zip(header, row, strict=True)}
    assert cells["Company"].value == "'=cmd()"
    assert cells["Company"].data_type == "s"
    assert cells["Value"].value == 12.5
    assert cells["Pickup at"].value == "2026-05-01 12:30:00+00:00"
    assert LeadExport.objects.get().leads == 1


def test_an_excel_file_has_a_limit_of_visible_leads(leads, manager, monkeypatch):
    """Of the two leads, the manager can see one."""
    monkeypatch.setattr(exports, "MAX_XLSX_LEADS", 1)
    assert exports.export_xlsx(by=manager, leads=leads, filters={})
    monkeypatch.setattr(exports, "MAX_XLSX_LEADS", 0)
    with pytest.raises(errors.Invalid, match="Export them as CSV"):
        exports.export_xlsx(by=manager, leads=leads, filters={})
    assert LeadExport.objects.count() == 1


@pytest.mark.parametrize("export", [exports.export_csv, exports.export_xlsx])
def test_a_user_without_the_permission_exports_nothing(leads, rep, export):
    with pytest.raises(errors.NotAllowed):
        export(by=rep, leads=leads, filters={})
    assert LeadExport.objects.count() == 0
