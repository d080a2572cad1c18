"""The timeline over HTTP. (What it tells: tests/sales/queries.)"""

from sales.models import Activity
from sales.services import activities


def test_pages_lead_from_one_to_the_next_and_back(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    for number in range(7):
        activities.log(by=rep, lead_id=lead.pk, activity_type="note", description=f"Note {number}")
    client, url, titles = api(rep), f"/api/v1/sales/leads/{lead.pk}/timeline?limit=3&kind=activity&kind=score", []
    page = client.get(url).json()
    assert page["previous"] is None
    titles += [item["title"] for item in page["results"]]
    Activity.objects.create(lead=lead, activity_type="note", description="Meanwhile", user=rep)
    while page["next"]:
        last, page = page, client.get(page["next"]).json()
        titles += [item["title"] for item in page["results"]]
    assert titles == [f"Note {number}" for number in range(6, -1, -1)]
    assert client.get(page["previous"]).json()["results"] == last["results"]
    item = page["results"][-1]
    note = Activity.objects.get(description="Note 0")
    assert item == {
        "kind": "activity", "id": note.pk, "at": note.occurred_at.isoformat(),
        "actor": {"id": rep.pk, "full_name": "Maria"}, "title": "Note 0", "detail": "",
        "data": {"activity_type": "note", "direction": None, "description": "Note 0", "notes": "", "data": {}},
    }  # fmt: skip


def test_what_is_asked_wrongly(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    client, url = api(rep), f"/api/v1/sales/leads/{lead.pk}/timeline"
    for query, named in {
        "kind=colour": "kind", "kind=": "kind", "limit=0": "limit", "limit=201": "limit", "cursor=x": "cursor",
        "count=true": "count", "ordering=at": "ordering",
    }.items():  # fmt: skip
        answer = client.get(f"{url}?{query}")
        assert (answer.status_code, list(answer.json())) == (400, [named])


def test_a_mislogged_activity_is_corrected(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    log = activities.log(by=rep, lead_id=lead.pk, activity_type="call", notes="x")
    url = f"/api/v1/sales/activities/{log.pk}"
    read = api(rep).get(url).json()
    answer = api(rep).patch(url, {**read, "notes": "They called", "direction": "inbound"})
    assert (answer.status_code, answer.json()) == (200, {**read, "notes": "They called", "direction": "inbound"})
    assert api(rep).patch(url, {"activity_type": "transfer"}).json() == {
        "activity_type": ["This type cannot be logged by hand."]
    }
    story = api(rep).get(f"/api/v1/sales/leads/{lead.pk}/timeline?kind=correction").json()["results"]
    assert [item["detail"] for item in story] == ["direction: nothing → Inbound; notes: x → They called"]
