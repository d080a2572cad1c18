"""Duplicates in the admin: warnings after saving, on the lead's page and in the list of pairs, and merging them."""

import pytest
from django.urls import reverse

from sales.models import IntakeForm, Lead, NotDuplicate
from sales.services.leads import leads

PAIRS, MERGE, NOT_DUPLICATE = (reverse(f"admin:sales_lead_{name}") for name in ("duplicates", "merge", "not_duplicate"))
LIST = reverse("admin:sales_lead_changelist")


@pytest.fixture
def pair(rep, manager):
    values = {"contact_name": "Dana", "email": "dana@lincoln.example"}
    first = leads.create(by=rep, values={**values, "company_name": "Lincoln Band"})
    return first, leads.create(by=rep, values={**values, "estimated_passengers": 48})


def get_lead_url(lead):
    return reverse("admin:sales_lead_change", args=[lead.pk])


def list_messages(response):
    return [str(message) for message in response.context["messages"]]


def test_a_new_lead_shows_a_warning_with_its_duplicates(browse, rep, stranger, pair):
    new = {"company_name": "Somebody", "email": "DANA@lincoln.example", "status": "new"}
    messages = list_messages(browse(rep).post(reverse("admin:sales_lead_add"), new, follow=True))
    assert f'<a href="{get_lead_url(pair[0])}">Lincoln Band</a> (same email)' in " ".join(messages)
    messages = list_messages(browse(stranger).post(reverse("admin:sales_lead_add"), new, follow=True))
    assert "same inquiry" not in " ".join(messages)


def test_a_leads_page_shows_duplicates_and_trip_warnings(browse, rep, manager, pair):
    leads.update(by=rep, lead_id=pair[0].pk, changes={"vehicle_type": "van", "estimated_passengers": 48})
    pages = {by: browse(by).get(get_lead_url(pair[0])).content.decode() for by in (rep, manager)}
    for by, page in pages.items():
        assert "Possible duplicates" in page
        assert get_lead_url(pair[1]) in page
        assert "48 passengers, but 14 seats" in page
        assert ("Merge …" in page) == (by == manager)
    leads.update(by=rep, lead_id=pair[1].pk, changes={"email": ""})
    assert "Possible duplicates" not in browse(rep).get(get_lead_url(pair[0])).content.decode()


def test_a_pair_of_the_list_is_merged(browse, manager, pair):
    first, second = pair
    client = browse(manager)
    (listed_pair,) = client.get(PAIRS).context["pairs"]
    assert listed_pair.first == first
    assert listed_pair.second == second
    assert listed_pair.labels == ["Same email"]
    page = client.get(f"{MERGE}?id={first.pk}&id={second.pk}&keep={second.pk}")
    assert page.context["kept"] == second
    assert {row.label for row in page.context["rows"] if row.is_filled} == {"Company name"}
    assert Lead.objects.open().count() == 2
    response = client.post(MERGE, {"id": [first.pk, second.pk], "keep": second.pk}, follow=True)
    assert response.redirect_chain == [(get_lead_url(second), 302)]
    assert list_messages(response) == ["2 leads were merged into Lincoln Band."]
    assert Lead.objects.open().get() == second
    assert client.get(PAIRS).context["pairs"] == []
    assert "was merged into" in client.get(get_lead_url(first)).content.decode()


def test_selected_leads_are_merged_by_the_action(browse, manager, pair):
    data = {"action": "merge_selected", "_selected_action": [lead.pk for lead in pair]}
    response = browse(manager).post(LIST, data, follow=True)
    assert [lead.pk for lead in response.context["leads"]] == sorted(lead.pk for lead in pair)
    single = browse(manager).post(LIST, {**data, "_selected_action": [pair[0].pk]}, follow=True)
    assert single.redirect_chain[-1][0] == PAIRS
    assert list_messages(single) == ["Choose two leads or more, or a pair from this list."]


def test_a_refused_merge_shows_the_reason(browse, rep, manager, pair):
    leads.update(by=rep, lead_id=pair[1].pk, changes={"status": "won", "booked_value": 900})
    response = browse(manager).post(MERGE, {"id": [lead.pk for lead in pair]})
    assert list_messages(response) == ["Only open leads can be merged. Reopen the closed lead first."]
    assert Lead.objects.filter(archived_at=None).count() == 2


@pytest.mark.parametrize("query", ["id=x", "id=1&id=", "id=-1", "id=" + "9" * 40, "id=１"])
def test_an_address_that_names_no_leads_is_404(browse, manager, query):
    assert browse(manager).get(f"{MERGE}?{query}").status_code == 404


def test_not_a_duplicate_is_remembered(browse, rep, pair):
    body = {"lead_id": pair[1].pk, "other_id": pair[0].pk, "next": get_lead_url(pair[0])}
    response = browse(rep).post(NOT_DUPLICATE, body)
    assert response.status_code == 302
    assert response["Location"] == get_lead_url(pair[0])
    assert NotDuplicate.objects.get().first == pair[0]
    assert NotDuplicate.objects.get().second == pair[1]
    assert browse(rep).post(NOT_DUPLICATE, {**body, "next": "https://evil.example"})["Location"] == LIST
    for wrong_ids in ({"lead_id": "x"}, {"other_id": ""}, {"lead_id": "9" * 30}):
        assert browse(rep).post(NOT_DUPLICATE, body | wrong_ids).status_code == 404
    assert list_messages(browse(rep).post(NOT_DUPLICATE, body | {"lead_id": pair[0].pk}, follow=True)) == [
        "lead_id: Name a different lead."
    ]


def test_a_manager_creates_a_form_and_sees_how_to_embed_it(browse, manager):
    client, add = browse(manager), reverse("admin:sales_intakeform_add")
    refused = client.post(add, {"name": "Site", "allowed_origins": "www.example.com", "is_active": "on"})
    assert "Write an origin like https://www.example.com" in refused.content.decode()
    client.post(add, {"name": "Site", "allowed_origins": "https://www.example.com", "is_active": "on"})
    form = IntakeForm.objects.get()
    page = client.get(reverse("admin:sales_intakeform_change", args=[form.pk])).content.decode()
    assert len(form.key) > 20
    assert f"/intake/{form.key}/&quot; title=" in page
    assert client.get(f"/intake/{form.key}/").status_code == 200
