"""URLs besides the resources: the front page, the schema of the API and its documentation."""

import json
from io import StringIO

import pytest
from django.core.management import call_command


def test_the_front_page_is_the_admin(client):
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == "/admin/"


def test_the_schema_is_valid_without_a_warning():
    schema = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=schema)
    assert schema.getvalue().startswith("openapi: 3")


@pytest.mark.parametrize("path", ["/api/v1/schema", "/api/v1/docs"])
def test_the_documentation_needs_a_login(client, api, rep, path):
    for accept in ("*/*", "text/html", "application/json", "application/yaml"):
        response = client.get(path, headers={"accept": accept})
        assert (response.status_code, response["Content-Type"]) in (
            (401, "application/json"),
            (406, "application/json"),
        )
        assert set(response.json()) == {"detail", "code"}
    assert client.get(path).headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert api(rep).get(path).status_code == 200


def test_the_documentation_loads_nothing_from_other_sites(api, rep):
    page = api(rep).get("/api/v1/docs", headers={"accept": "text/html"}).content.decode()
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/" in page
    assert "https://" not in page


@pytest.fixture
def schema(api, rep):
    response = api(rep).get("/api/v1/schema", headers={"accept": "application/json"})
    assert response["Content-Type"] == "application/json"
    return json.loads(response.content)


def test_the_schema_is_yaml_by_default(api, rep):
    assert api(rep).get("/api/v1/schema").content.startswith(b"openapi: 3.")


def test_each_operation_names_its_roles_and_its_errors(schema):
    complete = schema["paths"]["/api/v1/sales/follow-ups/{id}/complete"]["post"]
    assert complete["description"].endswith("Roles: rep, manager, admin.")
    assert " ".join(complete["responses"]) == "200 400 401 403 404 406 409 413 415 422 429 503"
    assert complete["parameters"][0] == {
        "in": "path",
        "name": "id",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    }
    assert [parameter["name"] for parameter in complete["parameters"]] == ["id", "Idempotency-Key"]
    change = schema["paths"]["/api/v1/sales/follow-ups/{id}"]["patch"]
    assert " ".join(change["responses"]) == "200 400 401 403 404 406 409 412 413 415 429 503"
    assert [parameter["name"] for parameter in change["parameters"]] == ["id", "If-Match"]
    rules = schema["paths"]["/api/v1/sales/scoring/rules"]["get"]
    assert rules["description"].endswith("Roles: manager, admin.")
    login = schema["paths"]["/api/v1/auth/login"]["post"]
    assert "403" not in login["responses"]
    assert login.get("security") is None


def test_a_list_describes_its_parameters_and_its_pages(schema):
    operation = schema["paths"]["/api/v1/users"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {"limit", "cursor", "ordering", "count", "search", "role", "team", "is_active"}
    page = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(schema["components"]["schemas"][page]["properties"]) == {"next", "previous", "results", "count"}


def test_every_operation_has_a_description(schema):
    undescribed = [
        f"{method} {path}"
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if not operation.get("description", "").removeprefix("Roles:").strip() and not path.endswith("/schema")
    ]
    assert undescribed == []
