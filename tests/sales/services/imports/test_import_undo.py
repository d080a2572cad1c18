"""Undoing an import archives what it created and restores what it replaced, and nothing else."""

import pytest
from django.utils import timezone

from sales.models import Lead, LeadScoreHistory
from sales.services.imports import import_undo
from sales.services.leads import leads
from tests.sales.services.imports.conftest import row_states
from tests.sales.services.imports.test_import_batches import FILE, get_facts


@pytest.fixture
def existing(make_lead):
    return make_lead(company_name="Old", email="a@a.example", email_normalised="a@a.example", phone_normalised="")


def test_created_leads_are_archived_and_replaced_values_restored(import_file, undo, existing, manager):
    before = get_facts(existing)
    lead_import = import_file(FILE, "update")

    undo(lead_import)

    existing.refresh_from_db()
    assert lead_import.state == "undone"
    assert lead_import.undone_by == manager
    assert lead_import.undone_at is not None
    assert set(row_states(lead_import).values()) == {"undone"}
    assert get_facts(existing) == before
    assert list(Lead.objects.filter(archived_at=None)) == [existing]
    assert LeadScoreHistory.objects.filter(lead=existing).count() in (0, 2)


def test_what_somebody_has_touched_since_is_kept_and_listed(import_file, undo, existing, manager):
    lead_import = import_file(FILE, "update")
    leads.update(by=manager, lead_id=existing.pk, changes={"contact_name": "Somebody else"})
    leads.update(by=manager, lead_id=Lead.objects.get(company_name="C").pk, changes={"notes": "Called"})

    undo(lead_import)

    existing.refresh_from_db()
    assert existing.contact_name == "Somebody else"
    assert existing.estimated_passengers is None
    assert row_states(lead_import) == {2: "kept", 3: "undone", 4: "undone", 5: "kept"}
    assert dict(lead_import.rows.filter(state="kept").values_list("line", "problems")) == {
        2: {"contact name": import_undo.CHANGED_FIELD},
        5: {"Lead": import_undo.TOUCHED_LEAD},
    }
    assert sorted(Lead.objects.filter(archived_at=None).values_list("company_name", flat=True)) == ["C", "Old"]


def test_a_lead_that_is_archived_by_now_is_listed(import_file, undo, existing):
    lead_import = import_file("Company,Email,Passengers\nOld,a@a.example,40\n", "update")
    Lead.objects.filter(pk=existing.pk).update(archived_at=timezone.now())

    undo(lead_import)

    row = lead_import.rows.get()
    assert row.state == "kept"
    assert row.problems == {"Lead": "The lead is archived."}


def test_other_imports_and_leads_stay_as_they_are(import_file, undo, existing, make_lead):
    other_lead = make_lead(company_name="By hand")
    other = import_file("Company,Email\nOther,o@o.example\n")
    before = list(Lead.objects.filter(pk__in=[other_lead.pk, other.rows.get().lead_id]).order_by("pk").values())
    rows_before = list(other.rows.values())
    lead_import = import_file(FILE, "update")

    undo(lead_import)

    assert list(Lead.objects.filter(pk__in=[lead["id"] for lead in before]).order_by("pk").values()) == before
    assert list(other.rows.values()) == rows_before
    other.refresh_from_db()
    assert other.state == "done"


def test_rows_whose_lead_is_deleted_hold_up_no_other_row(import_file, undo, monkeypatch):
    """A batch of such rows at the end of the file is not taken for the end of the import."""
    monkeypatch.setattr(import_undo, "BATCH_ROWS", 2)
    lead_import = import_file("Company\n" + "".join(f"Club {number}\n" for number in range(5)))
    Lead.objects.filter(company_name__in=["Club 3", "Club 4"]).delete()

    undo(lead_import)

    assert lead_import.state == "undone"
    assert not Lead.objects.filter(archived_at=None).exists()
