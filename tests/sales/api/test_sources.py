"""Sources and lost reasons over HTTP: read by everybody."""

from sales.models import LeadSource, LostReason


def test_sources(api, rep):
    fair = LeadSource.objects.create(name="Fair", channel="trade_show", unit_cost=2.5)
    LeadSource.objects.create(name="Ads", channel="ads", is_active=False)
    url = "/api/v1/sales/sources"
    listed = api(rep).get(url).json()["results"]
    assert [row["name"] for row in listed] == ["Ads", "Fair"]
    expected = {
        "id": fair.pk, "name": "Fair", "channel": "trade_show", "cost_model": "monthly", "unit_cost": 2.5,
        "is_active": True,
    }  # fmt: skip
    assert api(rep).get(f"{url}/{fair.pk}").json() == listed[1] == expected
    assert [row["name"] for row in api(rep).get(f"{url}?is_active=true&channel=trade_show").json()["results"]] == [
        "Fair"
    ]
    assert (api(rep).post(url, {}).status_code, api().get(url).status_code) == (403, 401)


def test_a_source_is_made_and_changed(api, manager):
    url = "/api/v1/sales/sources"
    made = api(manager).post(url, {"name": "Expo", "channel": "trade_show", "cost_model": "per_lead", "unit_cost": 4})
    source = made.json()
    assert (made.status_code, source) == (201, {
        "id": source["id"], "name": "Expo", "channel": "trade_show", "cost_model": "per_lead", "unit_cost": 4.0,
        "is_active": True,
    })  # fmt: skip
    changed = api(manager).patch(f"{url}/{source['id']}", {"is_active": False})
    assert (changed.status_code, changed.json()) == (200, {**source, "is_active": False})
    for body in ({"name": "Expo"}, {"name": ""}, {"name": "x", "channel": "sky"}, {"name": "x", "unit_cost": -1}):
        assert api(manager).post(url, body).status_code == 400


def test_spend_month_by_month(api, manager):
    source = LeadSource.objects.create(name="Fair")
    url, client = f"/api/v1/sales/sources/{source.pk}/spend", api(manager)
    first = client.post(url, {"month": "2026-05-01", "amount": 10.5})
    again = client.post(url, {"month": "2026-05-01", "amount": 12})
    client.post(url, {"month": "2026-06-01", "amount": 7, "campaign": "June"})
    row = {"id": first.json()["id"], "month": "2026-05-01", "campaign": "", "amount": 10.5}
    assert (first.status_code, first.json()) == (201, row)
    assert (again.status_code, again.json()) == (200, {**row, "amount": 12.0})
    page = client.get(url).json()
    assert [(row["month"], row["campaign"], row["amount"]) for row in page["results"]] == [
        ("2026-06-01", "June", 7.0), ("2026-05-01", "", 12.0),
    ]  # fmt: skip
    assert client.post(url, {"month": "2026-05-02", "amount": 1}).json() == {
        "month": ["Enter the first day of the month."]
    }


def test_lost_reasons(api, rep):
    LostReason.objects.filter(name="other").update(is_active=False)
    response = api(rep).get("/api/v1/sales/lost-reasons")
    assert [row["name"] for row in response.json()] == [
        "price", "no_availability", "trip_cancelled", "competitor", "no_response", "outside_area",
    ]  # fmt: skip
    assert response.json()[0] == {"name": "price", "label": "Price"}
