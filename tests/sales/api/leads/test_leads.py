"""`/sales/leads` over HTTP: bodies, errors, filters, orders, pages and permissions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from sales.models import FollowUp, Lead, LeadSource
from sales.services.leads import search_index

URL = "/api/v1/sales/leads"


def list_ids(response) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_a_lead_is_created_read_changed_and_archived(api, manager, rep):
    source = LeadSource.objects.create(name="Fair")
    created = api(manager).post(
        URL,
        {
            "company_name": "  Lincoln High School Band ",
            "contact_name": "Ann Lee",
            "email": "ann@example.com",
            "estimated_passengers": 55,
            "estimated_value": 5400.5,
            "pickup_at": "2027-05-01T08:00:00-04:00",
            "source": source.pk,
            "assigned_to": rep.pk,
        },
    )
    assert created.status_code == 201, created.content
    lead = created.json()
    assert lead["company_name"] == "Lincoln High School Band"
    assert lead["score"] == 70
    assert lead["assigned_to"] == rep.pk
    assert lead["estimated_value"] == 5400.5
    assert lead["pickup_at"] == "2027-05-01T12:00:00+00:00"
    assert api(rep).get(f"{URL}/{lead['id']}").json() == {
        key: value for key, value in lead.items() if key != "duplicates"
    }

    changed = api(rep).patch(f"{URL}/{lead['id']}", {"status": "lost", "lost_reason": "price"})
    assert changed.status_code == 200, changed.content
    assert changed.json()["status"] == "lost"
    assert changed.json()["lost_reason"] == "price"

    assert api(rep).delete(f"{URL}/{lead['id']}").status_code == 403
    assert api(manager).delete(f"{URL}/{lead['id']}").status_code == 204
    assert api(manager).get(f"{URL}/{lead['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "company_name"),
        ({"company_name": "   "}, "company_name"),
        ({"company_name": "A", "estimated_passengers": "12"}, "estimated_passengers"),
        ({"company_name": "A", "estimated_passengers": 100_001}, "estimated_passengers"),
        ({"company_name": "A", "estimated_value": 1.005}, "estimated_value"),
        ({"company_name": "A", "status": "lost"}, "lost_reason"),
        ({"company_name": "A", "status": "sold"}, "status"),
        ({"company_name": "A", "pickup_at": "2027-05-01T08:00:00"}, "pickup_at"),
        ({"company_name": "A", "colour": "red"}, "colour"),
        ({"company_name": "A", "source": 77}, "source"),
        ({"company_name": "A", "email": "not an address"}, "email"),
    ],
)
def test_errors_name_the_fields_and_nothing_is_written(api, admin, body, field):
    response = api(admin).post(URL, body)
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert Lead.objects.count() == 0


def test_read_only_keys_are_ignored(api, admin):
    response = api(admin).post(URL, {"company_name": "A", "score": 99, "id": 7, "created_at": "x"})
    assert response.status_code == 201
    assert response.json()["score"] == 0


def test_filters(api, admin, rep, make_lead):
    fair, web = (LeadSource.objects.create(name=name) for name in ("Fair", "Web"))
    now = timezone.now()
    emile = make_lead(company_name="Émile's École", score=80, source=fair, assigned_to=rep, next_follow_up_date=now)
    bridge = make_lead(company_name="Bridge Church", status="contacted", source=web, score=10, phone="(212) 555-0123")
    carla = make_lead(contact_name="Carla Émil", company_name="", status="won", phone="+1 212-555.0199")
    search_index.index_missing_leads(10)
    FollowUp.objects.create(lead=emile, follow_up_type="call", scheduled_date="2027-01-01", assigned_to=rep)
    Lead.objects.filter(pk=carla.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    get = api(admin).get
    cases = {
        "status=new&status=contacted": [bridge, emile],
        f"source={fair.pk}&source={web.pk}": [bridge, emile],
        f"assigned_to={rep.pk}": [emile],
        "assigned_to=none": [bridge, carla],
        f"assigned_to=none&assigned_to={rep.pk}": [bridge, emile, carla],
        "min_score=10": [bridge, emile],
        "min_score=11&max_score=80": [emile],
        "created_before=2026-02-01T00:00:00Z": [carla],
        "created_after=2026-02-01": [bridge, emile],
        f"next_follow_up_before={(now + timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}": [emile],
        "unplanned=true": [bridge],
        "unplanned=false": [emile, carla],
        "search=ÉCOLE": [emile],
        "search=emile emil": [emile],
        "search=émile carla": [],
        "search=EMIL": [emile, carla],
        "search=émil": [emile, carla],
        "search=carla%20ém": [carla],
        "search=555-0123": [bridge],
        "search=5550199": [carla],
        "search=(212) 555 01": [bridge, carla],
        "search=555.0199 carla": [carla],
        "search=100%25": [],
        "ordering=score": [carla, bridge, emile],
        "ordering=-next_follow_up_date": [emile, carla, bridge],
        "ordering=next_follow_up_date": [emile, bridge, carla],
    }
    results = {query: list_ids(get(f"{URL}?{query}")) for query in cases}
    assert results == {query: [lead.pk for lead in leads] for query, leads in cases.items()}


@pytest.mark.parametrize(
    "query",
    [
        "status=sold",
        "status=",
        "min_score=x",
        "min_score=１２",
        "colour=red",
        "assigned_to=maria",
        "limit=0",
        "limit=201",
        "cursor=abc",
        "ordering=phone",
        "created_after=yesterday",
        "unplanned=perhaps",
        "count=2",
    ],
)
def test_an_error_names_the_wrong_parameter(api, admin, query):
    response = api(admin).get(f"{URL}?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [query.partition("=")[0]]


def test_pages_contain_every_lead_once(api, admin, make_lead):
    lead_ids = [make_lead(estimated_value=value).pk for value in (None, 5, 5, None, 1)]
    for ordering in ("estimated_value", "-estimated_value", "-created_at"):
        listed_ids, url = [], f"{URL}?limit=2&ordering={ordering}&count=true"
        while url:
            page = api(admin).get(url).json()
            assert page["count"] == 5
            listed_ids += [row["id"] for row in page["results"]]
            url = page["next"]
        assert sorted(listed_ids) == lead_ids


def test_each_user_sees_the_leads_in_their_scope(api, rep, colleague, stranger, manager, admin, make_lead):
    own, colleagues, other_teams, unassigned = (
        make_lead(assigned_to=owner) for owner in (rep, colleague, stranger, None)
    )
    visible_ids = {user: set(list_ids(api(user).get(URL))) for user in (rep, stranger, manager, admin)}
    assert visible_ids == {
        rep: {own.pk, colleagues.pk},
        stranger: {other_teams.pk},
        manager: {own.pk, colleagues.pk, unassigned.pk},
        admin: {own.pk, colleagues.pk, other_teams.pk, unassigned.pk},
    }
    FollowUp.objects.create(lead=other_teams, follow_up_type="call", scheduled_date="2027-01-01", assigned_to=rep)
    assert api(rep).get(f"{URL}/{other_teams.pk}").status_code == 200
    assert api(rep).patch(f"{URL}/{other_teams.pk}", {"notes": "x"}).status_code == 403
    assert api(rep).patch(f"{URL}/{colleagues.pk}", {"notes": "x"}).json()["code"] == "not_your_lead"
    assert api(rep).patch(f"{URL}/{unassigned.pk}", {"notes": "x"}).status_code == 404
    assert api().get(URL).status_code == 401


def test_activities_are_logged_and_listed_newest_first(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    url = f"{URL}/{lead.pk}/activities"
    earlier = api(rep).post(
        url,
        {
            "activity_type": "call",
            "direction": "inbound",
            "notes": "Wants a quote",
            "occurred_at": "2026-01-05T10:00:00Z",
        },
    )
    assert earlier.status_code == 201, earlier.content
    latest = api(rep).post(url, {"activity_type": "quote_requested"}).json()
    assert list_ids(api(rep).get(url)) == [latest["id"], earlier.json()["id"]]
    assert earlier.json()["user_id"] == rep.pk
    assert earlier.json()["occurred_at"] == "2026-01-05T10:00:00+00:00"
    assert api(rep).get(f"{URL}/{lead.pk}").json()["score"] == 35
    assert api(rep).post(url, {"activity_type": "transfer"}).status_code == 400


def test_open_leads_whose_trip_has_passed_are_listed_for_closing(api, rep, make_lead):
    yesterday, tomorrow = (timezone.now() + timedelta(days=days) for days in (-1, 1))
    passed = make_lead(assigned_to=rep, pickup_at=yesterday)
    others = [
        make_lead(assigned_to=rep),
        make_lead(assigned_to=rep, pickup_at=tomorrow),
        make_lead(assigned_to=rep, pickup_at=yesterday, status="won"),
    ]
    assert list_ids(api(rep).get(f"{URL}?trip_passed=true")) == [passed.pk]
    assert set(list_ids(api(rep).get(f"{URL}?trip_passed=false"))) == {lead.pk for lead in others}
    assert api(rep).get(f"{URL}?unplanned=true&count=true").json()["count"] == 3


def test_won_trips_to_call_again_are_listed_and_repeated(api, rep, stranger, make_lead):
    last_pickup = timezone.now() - timedelta(days=130)
    won = make_lead(assigned_to=rep, status="won", pickup_at=last_pickup)
    make_lead(assigned_to=stranger, status="won", pickup_at=last_pickup)
    sooner = make_lead(assigned_to=rep, status="won", pickup_at=last_pickup - timedelta(days=1))
    assert list_ids(api(rep).get(f"{URL}/call-again")) == [sooner.pk, won.pk]
    response = api(rep).post(f"{URL}/{won.pk}/repeat")
    assert response.status_code == 201
    assert response.json()["repeat_of_id"] == won.pk
    assert response.json()["is_repeat"] is True
    assert api(rep).post(f"{URL}/{won.pk}/repeat").json()["code"] == "already_repeated"
    assert list_ids(api(rep).get(f"{URL}/call-again")) == [sooner.pk]


def test_a_quote_is_logged_with_its_amount_and_corrected(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    url = f"/api/v1/sales/leads/{lead.pk}"
    refused = api(rep).post(f"{url}/activities", {"activity_type": "call", "amount": 1}, format="json")
    assert refused.status_code == 400
    assert list(refused.data) == ["amount"]
    quote = {"activity_type": "quote", "amount": 4200.5, "valid_until": "2099-01-05"}
    logged = api(rep).post(f"{url}/activities", quote, format="json")
    assert logged.status_code == 201
    assert logged.data["data"] == {"amount": 4200.5, "valid_until": "2099-01-05"}
    body = api(rep).get(url).data
    assert body["status"] == "quoted"
    assert float(body["quote_amount"]) == 4200.5
    assert str(body["quote_valid_until"]) == "2099-01-05"
    correction = f"/api/v1/sales/activities/{logged.data['id']}"
    assert api(rep).patch(correction, {"amount": 4000}, format="json").data["data"]["amount"] == 4000
    assert float(api(rep).get(url).data["quote_amount"]) == 4000
    api(rep).patch(correction, {"activity_type": "note"}, format="json")
    body = api(rep).get(url).data
    assert body["status"] == "new"
    assert body["quote_amount"] is None
    assert body["quoted_at"] is None
    corrections = api(rep).get(f"{url}/timeline?kind=correction").data["results"]
    assert [item["detail"] for item in corrections] == [
        "activity type: Quote sent → Note; amount: $4,000 → nothing; valid until: Mon 5 Jan 2099 → nothing",
        "amount: $4,200.50 → $4,000",
    ]
