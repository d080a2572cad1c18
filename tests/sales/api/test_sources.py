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
    assert (api(rep).post(url, {}).status_code, api().get(url).status_code) in ((403, 401), (405, 401))


def test_lost_reasons(api, rep):
    LostReason.objects.filter(name="other").update(is_active=False)
    answer = api(rep).get("/api/v1/sales/lost-reasons")
    assert [row["name"] for row in answer.json()] == [
        "price", "no_availability", "trip_cancelled", "competitor", "no_response", "outside_area",
    ]  # fmt: skip
    assert answer.json()[0] == {"name": "price", "label": "Price"}
