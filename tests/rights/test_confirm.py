"""An action on many rows asks for a confirmation first, and does only what was shown."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from sales.models import ImportRow, Lead, LeadImport
from tests.rights.conftest import read_all_rows
from tests.rights.forms import untouched

WITH_CONFIRMATION = {  # a page names the number of rows
    "sales_lead": {"archive_selected", "restore_selected", "repeat_selected"},
    "sales_followup": {"cancel_selected"},
    "notifications_delivery": {"retry_selected"},
    "django_celery_beat_periodictask": {"enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks"},
}
WITH_OWN_PAGE = {
    "sales_lead": {"cadence_selected", "reassign_selected", "merge_selected"}
}  # the page of each shows what it would do
WITHOUT_CONFIRMATION = {"notifications_notification": {"mark_selected"}}
PAGES = {f"{model._meta.app_label}_{model._meta.model_name}": page for model, page in admin.site._registry.items()}


def select_all(action, **fields):
    """What a browser sends after "Select all": one row, and that all rows are selected."""
    return {"action": action, "_selected_action": "1", "select_across": "1", **fields}


def test_each_action_is_listed():
    """Deleting is not listed, since Django asks for a confirmation itself."""
    declared = {
        name: WITH_CONFIRMATION.get(name, set())
        | WITH_OWN_PAGE.get(name, set())
        | WITHOUT_CONFIRMATION.get(name, set())
        for name in PAGES
    }
    actions = {name: {getattr(action, "__name__", action) for action in page.actions} for name, page in PAGES.items()}
    assert actions == declared


@pytest.mark.parametrize(
    ("name", "action"),
    [
        (name, action)
        for actions in (WITH_CONFIRMATION, WITH_OWN_PAGE)
        for name in actions
        for action in sorted(actions[name])
    ],
)
def test_one_request_for_a_whole_list_changes_nothing(browsers, world, name, action):
    url, rows_before = reverse(f"admin:{name}_changelist"), read_all_rows()
    for fields in ({}, {"post": "yes"}, {"step": "confirm"}, {"post": "yes", "expected": "0" * 64}):
        assert browsers["admin"].post(url, select_all(action, **fields)).status_code in (200, 302)
        assert read_all_rows() == rows_before


def test_the_confirmation_names_the_number_of_rows_and_the_action_changes_those(browsers, world):
    browser, url = browsers["admin"], reverse("admin:sales_lead_changelist")
    leads = Lead.objects.filter(archived_at=None)
    count = leads.count()
    confirmation = browser.post(url, select_all("archive_selected")).content.decode()
    assert f"Archive {count} leads?" in confirmation
    assert "Harbor Choir" in confirmation

    Lead.objects.create(company_name="Just in")
    second_confirmation = browser.post(url, untouched(confirmation)).content.decode()
    assert "selection has changed since you looked" in second_confirmation
    assert f"Archive {count + 1} leads?" in second_confirmation
    assert leads.count() == count + 1

    assert browser.post(url, untouched(second_confirmation)).status_code == 302
    assert leads.count() == 0


def test_the_confirmation_keeps_the_filters(browsers, world):
    browser, url = browsers["admin"], reverse("admin:sales_lead_changelist") + "?q=secret"
    confirmation = browser.post(url, select_all("archive_selected")).content.decode()
    assert "Archive 1 lead?" in confirmation
    assert f'action="{url}"' in confirmation
    browser.post(url, untouched(confirmation))
    assert [lead.company_name for lead in Lead.objects.filter(archived_at__gt="2026-01-02T00:00Z")] == ["Secret Choir"]


def test_undoing_an_import_asks_for_a_confirmation(browsers, world, people):
    """The page counts created and updated leads, and does not name leads that now belong to others."""
    lead_import = LeadImport.objects.create(by=people["manager"], file_name="old.csv", state="done")
    leads = [Lead.objects.create(company_name=f"Band {number}", assigned_to=people["owner"]) for number in range(22)]
    stranger = Lead.objects.create(company_name="Far away", assigned_to=people["stranger"])
    for line, lead in enumerate([*leads, stranger, leads[0]]):
        state = "updated" if lead in (stranger, leads[0]) and line > 1 else "created"
        ImportRow.objects.create(
            lead_import=lead_import, line=line, state=state, lead=lead, cells=[], written_at=timezone.now()
        )
    url, rows_before = reverse("admin:sales_leadimport_undo", args=[lead_import.pk]), read_all_rows()
    confirmation = browsers["manager"].post(url).content.decode()
    for text in (
        f"Undo Import {lead_import.pk} (old.csv)?",
        "22 leads that the import created will be archived.",
        "1 lead that the import updated will get its former values back.",
        "Band 19",
        "and 3 more",
    ):
        assert text in confirmation
    assert [name for name in ("Band 20", "Far away") if name in confirmation] == []
    assert read_all_rows() == rows_before
    assert browsers["manager"].post(url, untouched(confirmation)).status_code == 302
    lead_import.refresh_from_db()
    assert lead_import.state == "undone"
