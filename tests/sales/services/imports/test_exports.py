"""What leaves is what one may see, no cell of it is a formula, and it is written down."""

import csv
import io

import openpyxl
import pytest

from sales import errors
from sales.models import Lead, LeadExport, LeadSource
from sales.services.imports import exports


def table(parts):
    return list(csv.DictReader(io.StringIO(b"".join(parts).decode("utf-8-sig"), newline="")))


@pytest.fixture
def leads(make_lead, rep, stranger):
    source = LeadSource.objects.create(name="Ads")
    make_lead(
        company_name="=cmd()", contact_name="Ann", phone="+12125550100", notes="one\n=two", assigned_to=rep,
        source=source, estimated_value="12.50", pickup_at="2026-05-01T12:30Z", is_repeat=True, score=7,
    )  # fmt: skip
    make_lead(company_name="Theirs", assigned_to=stranger)
    return Lead.objects.order_by("pk")


def test_a_csv_of_what_one_may_see(leads, manager):
    (row,) = table(exports.export_csv(by=manager, leads=leads, filters={"q": ["x"]}))
    shown = {name: value for name, value in row.items() if value}
    lead = leads[0]
    assert shown == {
        "Company": "'=cmd()", "Contact": "Ann", "Phone": "'+12125550100", "Status": "New",
        "Owner": "maria@example.com", "Source": "Ads", "Pickup at": "2026-05-01 12:30:00+00:00", "Value": "12.50",
        "Repeat client": "yes", "Notes": "one\n'=two", "Score": "7", "Lead": str(lead.pk),
        "Created": f"{lead.created_at:%Y-%m-%d %H:%M:%S}+00:00",
    }  # fmt: skip
    found = LeadExport.objects.get()
    assert (found.by, found.file_format, found.filters, found.leads) == (manager, "csv", {"q": ["x"]}, 1)


def test_a_download_that_is_cut_off_is_on_record(leads, manager):
    exports.export_csv(by=manager, leads=leads, filters={})
    assert LeadExport.objects.get().leads is None


def test_the_same_for_excel_with_numbers_as_such_and_times_with_their_offset(leads, manager):
    content = exports.export_xlsx(by=manager, leads=leads, filters={})
    header, row = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()
    shown = {name.value: cell for name, cell in zip(header, row, strict=True)}
    assert (shown["Company"].value, shown["Company"].data_type) == ("'=cmd()", "s")
    assert (shown["Value"].value, shown["Pickup at"].value) == (12.5, "2026-05-01 12:30:00+00:00")
    assert LeadExport.objects.get().leads == 1


def test_excel_has_a_limit(leads, manager, monkeypatch):
    monkeypatch.setattr(exports, "MAX_XLSX_LEADS", 0)
    with pytest.raises(errors.Invalid, match="Export them as CSV"):
        exports.export_xlsx(by=manager, leads=leads, filters={})
    assert LeadExport.objects.count() == 0


@pytest.mark.parametrize("way", [exports.export_csv, exports.export_xlsx])
def test_who_may_not(leads, rep, way):
    with pytest.raises(errors.NotAllowed):
        way(by=rep, leads=leads, filters={})
    assert LeadExport.objects.count() == 0
