"""Lead sources, their spend, and lost reasons over HTTP."""

from sales.models import LeadSource, LostReason


def test_everybody_may_read_sources(api, rep):
    fair = LeadSource.objects.create(name="Fair", channel="trade_show", unit_cost=2.5)
    LeadSource.objects.create(name="Ads", channel="ads", is_active=False)
    url = "/api/v1/sales/sources"
    sources = api(rep).get(url).json()["results"]
    assert [row["name"] for row in sources] == ["Ads", "Fair"]
    expected = {
        "id": fair.pk,
        "name": "Fair",
        "channel": "trade_show",
        "cost_model": "monthly",
        "unit_cost": 2.5,
        "is_active": True,
    }
    assert api(rep).get(f"{url}/{fair.pk}").json() == sources[1] == expected
    filtered = api(rep).get(f"{url}?is_active=true&channel=trade_show").json()["results"]
    assert [row["name"] for row in filtered] == ["Fair"]
    assert api(rep).post(url, {}).status_code == 403
    assert api().get(url).status_code == 401


def test_a_manager_creates_and_changes_a_source(api, manager):
    url = "/api/v1/sales/sources"
    body = {"name": "Expo", "channel": "trade_show", "cost_model": "per_lead", "unit_cost": 4}
    response = api(manager).post(url, body)
    source = response.json()
    assert response.status_code == 201
    assert source == {
        "id": source["id"],
        "name": "Expo",
        "channel": "trade_show",
        "cost_model": "per_lead",
        "unit_cost": 4.0,
        "is_active": True,
    }
    response = api(manager).patch(f"{url}/{source['id']}", {"is_active": False})
    assert response.status_code == 200
    assert response.json() == {**source, "is_active": False}
    for wrong_body in (
        {"name": "Expo"},
        {"name": ""},
        {"name": "x", "channel": "sky"},
        {"name": "x", "unit_cost": -1},
    ):
        assert api(manager).post(url, wrong_body).status_code == 400


def test_a_manager_sets_and_replaces_monthly_spend(api, manager):
    source = LeadSource.objects.create(name="Fair")
    url, client = f"/api/v1/sales/sources/{source.pk}/spend", api(manager)
    first = client.post(url, {"month": "2026-05-01", "amount": 10.5})
    second = client.post(url, {"month": "2026-05-01", "amount": 12})
    client.post(url, {"month": "2026-06-01", "amount": 7, "campaign": "June"})
    row = {"id": first.json()["id"], "month": "2026-05-01", "campaign": "", "amount": 10.5}
    assert first.status_code == 201
    assert first.json() == row
    assert second.status_code == 200
    assert second.json() == {**row, "amount": 12.0}
    page = client.get(url).json()
    assert [(row["month"], row["campaign"], row["amount"]) for row in page["results"]] == [
        ("2026-06-01", "June", 7.0),
        ("2026-05-01", "", 12.0),
    ]
    assert client.post(url, {"month": "2026-05-02", "amount": 1}).json() == {
        "month": ["Enter the first day of the month."]
    }


def test_active_lost_reasons_are_listed(api, rep):
    LostReason.objects.filter(name="other").update(is_active=False)
    response = api(rep).get("/api/v1/sales/lost-reasons")
    assert [row["name"] for row in response.json()] == [
        "price",
        "no_availability",
        "trip_cancelled",
        "competitor",
        "no_response",
        "outside_area",
    ]
    assert response.json()[0] == {"name": "price", "label": "Price"}
