"""The timeline over HTTP. (Its entries: tests/sales/queries/timeline.)"""

import pytest

from sales.models import Activity
from sales.services import activities


def test_pages_link_to_the_next_and_the_previous(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    for number in range(7):
        activities.log(by=rep, lead_id=lead.pk, activity_type="note", description=f"Note {number}")
    client, url = api(rep), f"/api/v1/sales/leads/{lead.pk}/timeline?limit=3&kind=activity&kind=score"
    page = client.get(url).json()
    assert page["previous"] is None
    titles = [entry["title"] for entry in page["results"]]
    Activity.objects.create(lead=lead, activity_type="note", description="Meanwhile", user=rep)
    while page["next"]:
        last_page, page = page, client.get(page["next"]).json()
        titles += [entry["title"] for entry in page["results"]]
    assert titles == [f"Note {number}" for number in range(6, -1, -1)]
    assert client.get(page["previous"]).json()["results"] == last_page["results"]


def test_the_keys_of_an_entry(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    note = activities.log(by=rep, lead_id=lead.pk, activity_type="note", description="Note")
    (entry,) = api(rep).get(f"/api/v1/sales/leads/{lead.pk}/timeline?kind=activity").json()["results"]
    assert entry == {
        "kind": "activity",
        "id": note.pk,
        "at": note.occurred_at.isoformat(),
        "actor": {"id": rep.pk, "full_name": "Maria"},
        "title": "Note",
        "detail": "",
        "data": {"activity_type": "note", "direction": None, "description": "Note", "notes": "", "data": {}},
    }


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("kind=colour", "kind"),
        ("kind=", "kind"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
        ("count=true", "count"),
        ("ordering=at", "ordering"),
    ],
)
def test_a_wrong_parameter_is_named(api, rep, make_lead, query, parameter):
    lead = make_lead(assigned_to=rep)
    response = api(rep).get(f"/api/v1/sales/leads/{lead.pk}/timeline?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [parameter]


def test_a_correction_is_an_entry_of_the_timeline(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    activity = activities.log(by=rep, lead_id=lead.pk, activity_type="call", notes="x")
    url = f"/api/v1/sales/activities/{activity.pk}"
    corrected = {**api(rep).get(url).json(), "notes": "They called", "direction": "inbound"}
    response = api(rep).patch(url, corrected)
    assert response.status_code == 200
    assert response.json() == corrected
    (entry,) = api(rep).get(f"/api/v1/sales/leads/{lead.pk}/timeline?kind=correction").json()["results"]
    assert entry["detail"] == "direction: nothing → Inbound; notes: x → They called"


def test_an_activity_cannot_be_corrected_to_a_type_that_only_athena_logs(api, rep, make_lead):
    activity = activities.log(by=rep, lead_id=make_lead(assigned_to=rep).pk, activity_type="call", notes="x")
    response = api(rep).patch(f"/api/v1/sales/activities/{activity.pk}", {"activity_type": "transfer"})
    assert response.json() == {"activity_type": ["This type cannot be logged by hand."]}
