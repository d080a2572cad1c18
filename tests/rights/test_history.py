"""No page's history is a dead end: a lead's, and that of what belongs to it, is the lead's story."""

import pytest
from django.contrib import admin
from django.urls import reverse

OF_LEADS = {
    f"{model._meta.app_label}_{model._meta.model_name}"
    for model in admin.site._registry
    if model._meta.label == "sales.Lead" or any(field.name == "lead" for field in model._meta.fields)
}


@pytest.mark.parametrize("name", sorted(OF_LEADS))
def test_it_is_the_story_of_the_lead(browsers, world, name):
    story = world.story
    rows = {
        "sales_lead": world.lead, "sales_followup": world.plan, "sales_activity": story.activity,
        "sales_fieldchange": story.change, "sales_leadscorehistory": story.score, "sales_leadtransfer": story.transfer,
    }  # fmt: skip
    page = browsers["owner"].get(reverse(f"admin:{name}_history", args=[rows[name].pk])).content.decode()
    assert "Timeline: Harbor Choir" in page
    assert "Note on Harbor Choir" in page


@pytest.mark.parametrize("name", ["run", "export", "file", "delivery"])
def test_who_changes_nothing_is_offered_no_history(browsers, world, name):
    row = getattr(world, name)
    address = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    page = browsers["admin"].get(reverse(address, args=[row.pk])).content.decode()
    assert "historylink" not in page


def test_a_row_that_was_never_changed_says_so(browsers, world):
    page = browsers["boss"].get(reverse("admin:sales_leadsource_history", args=[world.source.pk])).content.decode()
    assert "Nobody has changed this record on these pages." in page
    assert "wasn’t added via" not in page
