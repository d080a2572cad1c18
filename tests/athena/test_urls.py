"""The addresses beside the resources: the front page, and the API's description of itself."""

import json
from io import StringIO

import pytest
from django.core.management import call_command


def test_the_front_page_is_the_admin(client):
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == "/admin/"


def test_the_schema_is_valid_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


@pytest.mark.parametrize("path", ["/api/v1/schema", "/api/v1/docs"])
def test_the_description_is_for_people_who_are_logged_in(client, api, rep, path):
    for accept in ("*/*", "text/html", "application/json", "application/yaml"):
        response = client.get(path, headers={"accept": accept})
        assert (response.status_code, response["Content-Type"]) in (
            (401, "application/json"),
            (406, "application/json"),
        )
        assert set(response.json()) == {"detail", "code"}
    assert client.get(path).headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert api(rep).get(path).status_code == 200


def test_the_docs_take_nothing_from_elsewhere(api, rep):
    page = api(rep).get("/api/v1/docs", headers={"accept": "text/html"}).content.decode()
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/" in page
    assert "https://" not in page


@pytest.fixture
def schema(api, rep):
    response = api(rep).get("/api/v1/schema", headers={"accept": "application/json"})
    assert response["Content-Type"] == "application/json"
    return json.loads(response.content)


def test_yaml_unless_json_is_asked_for(api, rep):
    assert api(rep).get("/api/v1/schema").content.startswith(b"openapi: 3.")


def test_each_call_says_who_may_and_what_can_go_wrong(schema):
    complete = schema["paths"]["/api/v1/sales/follow-ups/{id}/complete"]["post"]
    assert complete["description"].endswith("Roles: rep, manager, admin.")
    assert " ".join(complete["responses"]) == "200 400 401 403 404 406 409 413 415 422 429 503"
    assert complete["parameters"][0] == {
        "in": "path", "name": "id", "schema": {"type": "integer", "minimum": 1}, "required": True,
    }  # fmt: skip
    assert [each["name"] for each in complete["parameters"]] == ["id", "Idempotency-Key"]
    change = schema["paths"]["/api/v1/sales/follow-ups/{id}"]["patch"]
    assert " ".join(change["responses"]) == "200 400 401 403 404 406 409 412 413 415 429 503"
    assert [each["name"] for each in change["parameters"]] == ["id", "If-Match"]
    rules = schema["paths"]["/api/v1/sales/scoring/rules"]["get"]
    assert rules["description"].endswith("Roles: manager, admin.")
    login = schema["paths"]["/api/v1/auth/login"]["post"]
    assert "403" not in login["responses"]
    assert login.get("security") is None


def test_lists_say_their_parameters_and_their_pages(schema):
    listed = schema["paths"]["/api/v1/users"]["get"]
    names = {each["name"] for each in listed["parameters"]}
    assert names == {"limit", "cursor", "ordering", "count", "search", "role", "team", "is_active"}
    page = listed["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(schema["components"]["schemas"][page]["properties"]) == {"next", "previous", "results", "count"}


def test_every_call_is_described(schema):
    bare = [
        f"{method} {path}"
        for path, calls in schema["paths"].items()
        for method, call in calls.items()
        if not call.get("description", "").removeprefix("Roles:").strip() and not path.endswith("/schema")
    ]
    assert bare == []
