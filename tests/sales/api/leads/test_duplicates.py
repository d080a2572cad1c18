"""Duplicates, merging and trip warnings over HTTP."""

import pytest

from sales.models import FieldChange, Lead, NotDuplicate
from sales.services.leads import leads

URL = "/api/v1/sales/leads"
TOO_SMALL_VAN = {"vehicle_type": "van", "estimated_passengers": 15}


@pytest.fixture
def band(rep):
    return leads.create(by=rep, values={"company_name": "Lincoln Band", "email": "dana@lincoln.example"})


def build_duplicate(lead, reasons, strength):
    return {
        "id": lead.pk,
        "name": str(lead),
        "status": lead.status,
        "assigned_to": lead.assigned_to_id,
        "created_at": lead.created_at.isoformat(),
        "reasons": reasons,
        "strength": strength,
    }


def test_a_new_lead_comes_with_its_visible_duplicates(api, rep, stranger, band):
    body = {"contact_name": "Dana", "email": "Dana@Lincoln.example"}
    response = api(rep).post(URL, body)
    assert response.status_code == 201
    assert response.json()["duplicates"] == [build_duplicate(band, ["email"], 90)]
    assert api(stranger).post(URL, body).json()["duplicates"] == []
    assert Lead.objects.count() == 3


def test_a_leads_duplicates_are_listed_until_they_are_dismissed(api, rep, band):
    client, twin = api(rep), leads.create(by=rep, values={"contact_name": "D", "email": "dana@lincoln.example"})
    url = f"{URL}/{band.pk}/duplicates"
    assert client.get(url).json() == {"lead_id": band.pk, "duplicates": [build_duplicate(twin, ["email"], 90)]}
    assert client.post(f"{URL}/{band.pk}/not-duplicate", {"lead_id": twin.pk}).status_code == 204
    assert client.get(url).json() == {"lead_id": band.pk, "duplicates": []}
    refused = client.post(f"{URL}/{band.pk}/not-duplicate", {"lead_id": band.pk})
    assert refused.status_code == 400
    assert refused.json() == {"lead_id": ["Name a different lead."]}
    assert NotDuplicate.objects.count() == 1


def test_a_merge_returns_the_kept_lead_with_its_warnings(api, manager, rep, band):
    twin = leads.create(by=rep, values={"contact_name": "Dana", "email": "dana@lincoln.example", **TOO_SMALL_VAN})
    response = api(manager).post(f"{URL}/{band.pk}/merge", {"duplicate_ids": [twin.pk]})
    body = response.json()
    assert response.status_code == 200
    assert body["id"] == band.pk
    assert body["contact_name"] == "Dana"
    assert [warning["code"] for warning in body["warnings"]] == ["too_many_passengers"]
    assert api(rep).get(f"{URL}/{twin.pk}").status_code == 404
    assert FieldChange.objects.get(field="merged").new == {"lead_id": twin.pk, "name": "Dana"}


@pytest.mark.parametrize("ids", [[], ["1"], [1.0], [True], None, list(range(1, 60)), [[1]]])
def test_wrong_ids_are_refused(api, manager, band, ids):
    response = api(manager).post(f"{URL}/{band.pk}/merge", {"duplicate_ids": ids})
    assert response.status_code == 400
    assert set(response.json()) == {"duplicate_ids"}


def test_leads_that_cannot_be_merged(api, manager, rep, band):
    closed = leads.create(by=rep, values={"company_name": "Won", "status": "won", "booked_value": 900})
    expected = {(band.pk,): 400, (closed.pk,): 409, (999_999,): 404}
    statuses = {
        ids: api(manager).post(f"{URL}/{band.pk}/merge", {"duplicate_ids": ids}).status_code for ids in expected
    }
    assert statuses == expected


def test_a_single_lead_has_warnings_which_a_client_may_send_back(api, rep):
    client = api(rep)
    lead = client.post(URL, {"company_name": "Band", **TOO_SMALL_VAN}).json()
    (warning,) = lead["warnings"]
    assert warning == {
        "code": "too_many_passengers",
        "text": "15 passengers, but 14 seats (one van seats 14): plan 2 vehicles.",
    }
    url = f"{URL}/{lead['id']}"
    assert client.get(url).json()["warnings"] == [warning]
    changed = client.patch(url, {**client.get(url).json(), "duplicates": [], "vehicles_needed": 2})
    assert changed.status_code == 200
    assert changed.json()["warnings"] == []
    assert "warnings" not in client.get(URL).json()["results"][0]
