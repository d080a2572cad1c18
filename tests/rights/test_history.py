"""The history page of a lead, and of rows that belong to one, is the timeline of the lead."""

import pytest
from django.contrib import admin
from django.urls import reverse

MODELS_WITH_LEAD = {
    f"{model._meta.app_label}_{model._meta.model_name}"
    for model in admin.site._registry
    if model._meta.label == "sales.Lead" or any(field.name == "lead" for field in model._meta.fields)
}


@pytest.mark.parametrize("name", sorted(MODELS_WITH_LEAD))
def test_the_history_is_the_timeline_of_the_lead(browsers, world, name):
    timeline = world.timeline
    rows = {
        "sales_lead": world.lead, "sales_followup": world.follow_up, "sales_activity": timeline.activity,
        "sales_fieldchange": timeline.change, "sales_leadscorehistory": timeline.score,
        "sales_leadtransfer": timeline.transfer,
    }  # fmt: skip
    page = browsers["owner"].get(reverse(f"admin:{name}_history", args=[rows[name].pk])).content.decode()
    assert "Timeline: Harbor Choir" in page
    assert "Note on Harbor Choir" in page


@pytest.mark.parametrize("name", ["run", "export", "lead_import", "delivery"])
def test_a_page_without_changes_offers_no_history(browsers, world, name):
    row = getattr(world, name)
    address = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    page = browsers["admin"].get(reverse(address, args=[row.pk])).content.decode()
    assert "historylink" not in page


def test_the_history_of_an_unchanged_row_says_so(browsers, world):
    page = browsers["manager"].get(reverse("admin:sales_leadsource_history", args=[world.source.pk])).content.decode()
    assert "Nobody has changed this record on these pages." in page
    assert "wasn’t added via" not in page
