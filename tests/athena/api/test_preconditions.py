"""ETag and If-Match on leads, follow-ups and rules."""

import pytest

from athena.api.preconditions import compute_etag, parse_if_match
from sales.models import FollowUp, Lead, LeadScoringRule

RULE = {
    "rule_name": "Big", "rule_type": "attribute", "condition_field": "estimated_passengers",
    "condition_operator": "at_least", "condition_value": "40", "points": 5,
}  # fmt: skip
BODIES = {
    "leads": ({"company_name": "Acme"}, {"notes": "Called"}),
    "follow-ups": ({"follow_up_type": "call", "scheduled_date": "2027-01-05"}, {"notes": "Ask for Ann"}),
    "scoring/rules": (RULE, {"points": 6}),
}


@pytest.fixture
def made(api, admin, make_lead):
    """Makes one by POST. Returns its address, its ETag and a PATCH's body."""

    def make(resource):
        new, change = BODIES[resource]
        new = new | ({"lead_id": make_lead(assigned_to=admin).pk} if resource == "follow-ups" else {})
        response = api(admin).post(f"/api/v1/sales/{resource}", new)
        return f"/api/v1/sales/{resource}/{response.json()['id']}", response["ETag"], change

    return make


@pytest.mark.parametrize("resource", BODIES)
def test_what_was_read_is_changed_only_as_it_was_read(api, admin, made, resource):
    url, tag, change = made(resource)
    client = api(admin)
    assert client.get(url)["ETag"] == tag
    changed = client.patch(url, change, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert client.get(url)["ETag"] == changed["ETag"]
    assert changed["ETag"] != tag
    malformed = client.patch(url, change | {"x": 1}, headers={"If-Match": tag})
    assert malformed.status_code == 400, "that comes first"
    for method in ("patch", "delete"):
        for old in (tag, f"W/{changed['ETag']}", '"0", "x"', '"' + "9" * 30 + '"'):
            response = getattr(client, method)(url, change if method == "patch" else None, headers={"If-Match": old})
            assert response.status_code == 412, old
            assert response.json()["code"] == "changed", old
    assert client.get(url)["ETag"] == changed["ETag"]
    assert client.delete(url, headers={"If-Match": f"{tag}, {changed['ETag']}"}).status_code == 204


@pytest.mark.parametrize("resource", BODIES)
def test_without_or_with_a_star_it_is_changed_however_it_is(api, admin, made, resource):
    url, _, change = made(resource)
    assert api(admin).patch(url, change).status_code == 200
    assert api(admin).delete(url, headers={"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("header", ["7", '"7', "", "W/7", '"7" "8"', "*, *", '"7",'])
def test_a_malformed_if_match_is_named(api, admin, made, header):
    url, _tag, change = made("leads")
    response = api(admin).patch(url, change, headers={"If-Match": header})
    assert response.status_code == 400
    assert list(response.json()) == ["If-Match"]
    assert Lead.objects.get().notes == ""


def test_who_may_not_write_hears_that_first(api, colleague, admin, made, rep):
    url, _, change = made("leads")
    Lead.objects.update(assigned_to=rep)
    assert api(colleague).patch(url, change, headers={"If-Match": '"0"'}).status_code == 403


def test_what_is_closed_and_changed_is_changed_first(api, admin, made):
    url, tag, change = made("follow-ups")
    api(admin).delete(url)
    assert api(admin).patch(url, change, headers={"If-Match": tag}).status_code == 412
    assert api(admin).patch(url, change).status_code == 409
    assert FollowUp.objects.get().notes == ""


def test_lists_and_what_has_no_version_have_no_tag(api, admin, made):
    made("leads")
    for path in ("leads", "follow-ups/my-tasks", "sources"):
        assert "ETag" not in api(admin).get(f"/api/v1/sales/{path}")
    assert "ETag" not in api(admin).get("/api/v1/auth/me")
    assert LeadScoringRule.objects.exists()


def test_tags():
    keys = ("version", "name")
    tag = compute_etag({"version": 3, "name": "x", "more": 1}, keys)
    assert tag == compute_etag({"name": "x", "version": 3}, keys)
    assert tag not in (compute_etag({"version": 3, "name": "y"}, keys), None)
    assert (
        compute_etag({"version": 3}, keys)
        is compute_etag([{"version": 3}], keys)
        is compute_etag({"name": "x"}, ("name",))
        is None
    )
    assert parse_if_match(None) is parse_if_match(" * ") is None
    assert parse_if_match('"1" , W/"2","x"') == {'"1"', '"x"'}


@pytest.mark.parametrize("resource", BODIES)
def test_what_has_not_changed_is_not_sent_again(api, admin, made, resource):
    url, tag, change = made(resource)
    client = api(admin)
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        response = client.get(url, headers={"If-None-Match": known})
        assert response.status_code == 304
        assert response.content == b""
        assert response["ETag"] == tag
    for other in ('"x"', "nonsense", ""):
        assert client.get(url, headers={"If-None-Match": other}).status_code == 200
    client.patch(url, change)
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200
    assert client.get(url + "9", headers={"If-None-Match": "*"}).status_code == 404
