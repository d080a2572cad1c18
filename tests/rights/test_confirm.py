"""What is done to many rows at once is asked for first, and what was shown is what is done."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from sales.models import ImportRow, Lead, LeadImport
from tests.rights.conftest import every_row
from tests.rights.forms import untouched

ASKED = {  # by a page that names how many
    "sales_lead": {"archive_selected", "restore_selected", "repeat_selected"},
    "sales_followup": {"cancel_selected"},
    "notifications_delivery": {"retry_selected"},
    "django_celery_beat_periodictask": {"enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks"},
}
OWN_PAGE = {"sales_lead": {"cadence_selected", "reassign_selected", "merge_selected"}}  # each shows what it would do
HARMLESS = {"notifications_notification": {"mark_selected"}}
PAGES = {f"{model._meta.app_label}_{model._meta.model_name}": page for model, page in admin.site._registry.items()}


def whole_list(action, **more):
    """What a browser sends after "Select all": some row, and that all are meant."""
    return {"action": action, "_selected_action": "1", "select_across": "1", **more}


def test_each_action_is_declared():
    """(Deleting asks by itself, in Django.)"""
    declared = {name: ASKED.get(name, set()) | OWN_PAGE.get(name, set()) | HARMLESS.get(name, set()) for name in PAGES}
    actions = {name: {getattr(action, "__name__", action) for action in page.actions} for name, page in PAGES.items()}
    assert actions == declared


@pytest.mark.parametrize(
    ("name", "action"), [(name, action) for of in (ASKED, OWN_PAGE) for name in of for action in sorted(of[name])]
)
def test_one_request_over_a_whole_list_writes_nothing(browsers, world, name, action):
    url, before = reverse(f"admin:{name}_changelist"), every_row()
    for more in ({}, {"post": "yes"}, {"step": "confirm"}, {"post": "yes", "expected": "0" * 64}):
        assert browsers["admin"].post(url, whole_list(action, **more)).status_code in (200, 302)
        assert every_row() == before


def test_the_page_names_how_many_and_does_it_to_those(browsers, world):
    browser, url = browsers["admin"], reverse("admin:sales_lead_changelist")
    leads = Lead.objects.filter(archived_at=None)
    count = leads.count()
    asked = browser.post(url, whole_list("archive_selected")).content.decode()
    assert f"Archive {count} leads?" in asked
    assert "Harbor Choir" in asked

    Lead.objects.create(company_name="Just in")
    again = browser.post(url, untouched(asked)).content.decode()
    assert "selection has changed since you looked" in again
    assert f"Archive {count + 1} leads?" in again
    assert leads.count() == count + 1

    assert browser.post(url, untouched(again)).status_code == 302
    assert leads.count() == 0


def test_filters_stay(browsers, world):
    browser, url = browsers["admin"], reverse("admin:sales_lead_changelist") + "?q=secret"
    asked = browser.post(url, whole_list("archive_selected")).content.decode()
    assert "Archive 1 lead?" in asked
    assert f'action="{url}"' in asked
    browser.post(url, untouched(asked))
    assert [lead.company_name for lead in Lead.objects.filter(archived_at__gt="2026-01-02T00:00Z")] == ["Secret Choir"]


def test_undoing_an_import_is_asked_for(browsers, world, people):
    """What it made and changed is counted; of leads that are others' by now no name is said."""
    made = LeadImport.objects.create(by=people["boss"], file_name="old.csv", state="done")
    leads = [Lead.objects.create(company_name=f"Band {number}", assigned_to=people["owner"]) for number in range(22)]
    far = Lead.objects.create(company_name="Far away", assigned_to=people["far"])
    for line, lead in enumerate([*leads, far, leads[0]]):
        state = "updated" if lead in (far, leads[0]) and line > 1 else "created"
        ImportRow.objects.create(
            lead_import=made, line=line, state=state, lead=lead, cells=[], written_at=timezone.now()
        )
    url, before = reverse("admin:sales_leadimport_undo", args=[made.pk]), every_row()
    asked = browsers["boss"].post(url).content.decode()
    for words in (
        f"Undo Import {made.pk} (old.csv)?",
        "22 leads that the import created will be archived.",
        "1 lead that the import updated will get its former values back.",
        "Band 19",
        "and 3 more",
    ):
        assert words in asked
    assert [name for name in ("Band 20", "Far away") if name in asked] == []
    assert every_row() == before
    assert browsers["boss"].post(url, untouched(asked)).status_code == 302
    made.refresh_from_db()
    assert made.state == "undone"
