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
def create_row(api, admin, make_lead):
    """A function that creates a row by POST. Returns its URL, its ETag and the body of a PATCH."""

    def create(resource):
        body, change = BODIES[resource]
        body = body | ({"lead_id": make_lead(assigned_to=admin).pk} if resource == "follow-ups" else {})
        response = api(admin).post(f"/api/v1/sales/{resource}", body)
        return f"/api/v1/sales/{resource}/{response.json()['id']}", response["ETag"], change

    return create


@pytest.mark.parametrize("resource", BODIES)
def test_a_row_is_changed_only_if_it_is_as_it_was_read(api, admin, create_row, resource):
    url, tag, change = create_row(resource)
    client = api(admin)
    assert client.get(url)["ETag"] == tag
    changed = client.patch(url, change, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert client.get(url)["ETag"] == changed["ETag"]
    assert changed["ETag"] != tag
    malformed = client.patch(url, change | {"x": 1}, headers={"If-Match": tag})
    assert malformed.status_code == 400, "the body is validated first"
    for method in ("patch", "delete"):
        for old_tag in (tag, f"W/{changed['ETag']}", '"0", "x"', '"' + "9" * 30 + '"'):
            response = getattr(client, method)(
                url, change if method == "patch" else None, headers={"If-Match": old_tag}
            )
            assert response.status_code == 412, old_tag
            assert response.json()["code"] == "changed", old_tag
    assert client.get(url)["ETag"] == changed["ETag"]
    assert client.delete(url, headers={"If-Match": f"{tag}, {changed['ETag']}"}).status_code == 204


@pytest.mark.parametrize("resource", BODIES)
def test_without_if_match_or_with_a_star_a_row_is_always_changed(api, admin, create_row, resource):
    url, _, change = create_row(resource)
    assert api(admin).patch(url, change).status_code == 200
    assert api(admin).delete(url, headers={"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("header", ["7", '"7', "", "W/7", '"7" "8"', "*, *", '"7",'])
def test_a_malformed_if_match_is_named(api, admin, create_row, header):
    url, _tag, change = create_row("leads")
    response = api(admin).patch(url, change, headers={"If-Match": header})
    assert response.status_code == 400
    assert list(response.json()) == ["If-Match"]
    assert Lead.objects.get().notes == ""


def test_a_missing_permission_is_reported_before_a_mismatch(api, colleague, admin, create_row, rep):
    url, _, change = create_row("leads")
    Lead.objects.update(assigned_to=rep)
    assert api(colleague).patch(url, change, headers={"If-Match": '"0"'}).status_code == 403


def test_a_mismatch_is_reported_before_a_conflict(api, admin, create_row):
    url, tag, change = create_row("follow-ups")
    api(admin).delete(url)
    assert api(admin).patch(url, change, headers={"If-Match": tag}).status_code == 412
    assert api(admin).patch(url, change).status_code == 409
    assert FollowUp.objects.get().notes == ""


def test_lists_and_unversioned_resources_have_no_etag(api, admin, create_row):
    create_row("leads")
    for path in ("leads", "follow-ups/my-tasks", "sources"):
        assert "ETag" not in api(admin).get(f"/api/v1/sales/{path}")
    assert "ETag" not in api(admin).get("/api/v1/auth/me")
    assert LeadScoringRule.objects.exists()


def test_etags_are_computed_and_parsed():
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
def test_an_unchanged_row_is_304(api, admin, create_row, resource):
    url, tag, change = create_row(resource)
    client = api(admin)
    for known_tag in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        response = client.get(url, headers={"If-None-Match": known_tag})
        assert response.status_code == 304
        assert response.content == b""
        assert response["ETag"] == tag
    for other_tag in ('"x"', "nonsense", ""):
        assert client.get(url, headers={"If-None-Match": other_tag}).status_code == 200
    client.patch(url, change)
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200
    assert client.get(url + "9", headers={"If-None-Match": "*"}).status_code == 404
