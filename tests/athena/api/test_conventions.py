"""Every route of the API keeps the conventions of the contract."""

import json
from types import SimpleNamespace

import pytest
import time_machine
from rest_framework.test import APIClient

from athena.accounts.roles import Role
from athena.http.body_limit import MAX_BODY_BYTES
from notifications.emails import unsubscribe_tokens
from notifications.models import Notification
from sales.models import Activity, Cadence, FollowUp, Lead, LeadScoringRule, LeadSource, ScoringRun, TransferBatch
from tests.athena.api.routes import (
    BASE,
    FORM_ROUTES,
    PUBLIC_ROUTES,
    READ_ROUTES,
    ROUTES,
    WRITE_ROUTES,
    get_served_schema,
)
from tests.fixtures import new_user


@pytest.fixture(autouse=True)
def _undone_at_the_end(made_once, db):
    """Run each test in its own transaction within the transaction of the module."""


@pytest.fixture(scope="module")
def admin(made_once):
    return new_user("admin", Role.ADMIN)


@pytest.fixture(scope="module")
def make_url(admin):
    """A function that makes the URL of a route for rows that exist."""
    lead = Lead.objects.create(company_name="Lincoln High School Band", assigned_to=admin)
    follow_up = FollowUp.objects.create(
        lead=lead, follow_up_type="call", scheduled_date="2026-01-05", assigned_to=admin
    )
    rule = LeadScoringRule.objects.first()
    run = ScoringRun.objects.create(rule_set_version=1, state="done")
    ids = {
        "users": admin,
        "leads": lead,
        "activities": Activity.objects.create(lead=lead, activity_type="note", user=admin),
        "follow-ups": follow_up,
        "rules": rule,
        "runs": run,
        "sources": LeadSource.objects.create(name="Fair"),
        "cadences": Cadence.objects.create(name="New inquiry"),
        "notifications": Notification.objects.create(
            kind="lead_assigned", recipient=admin, dedupe_key="x", not_before="2026-01-05T00:00Z"
        ),
        "unsubscribe": SimpleNamespace(pk=unsubscribe_tokens.make_token(admin.pk, "lead_assigned")),
        "transfers": TransferBatch.objects.create(by=admin),
    }

    def make_url_of(route, pk=None):
        resource = route.split("/{")[0].rpartition("/")[2]
        return BASE + route.format(pk=pk or ids[resource].pk if "{pk}" in route else 0, lead_id=pk or lead.pk)

    return make_url_of


@pytest.fixture
def client(api, admin):
    return api(admin)


def send(client, method, url, data=None, content_type="application/json", **headers):
    return client.generic(method.upper(), url, data or "", content_type, headers=headers)


def has_error_shape(response, status):
    """Whether the response has this status and one of the two error shapes in JSON."""
    if (response.status_code, response["Content-Type"]) != (status, "application/json"):
        return False
    body = response.json()
    if set(body) == {"detail", "code"}:
        return all(isinstance(value, str) for value in body.values())
    return bool(body) and all(
        isinstance(messages, list) and all(isinstance(message, str) for message in messages)
        for messages in body.values()
    )


def test_the_table_contains_the_routes():
    assert len(ROUTES) > 25
    assert {"sales/leads", "sales/leads/{pk}/activities", "auth/me", "users/{pk}"} <= {route for route, *_ in ROUTES}


@pytest.mark.parametrize(
    ("route", "method"), [(route, method) for route, method, _ in ROUTES if route not in PUBLIC_ROUTES]
)
def test_without_a_login_every_route_is_401(make_url, route, method):
    for client in (APIClient(), APIClient(headers={"authorization": "Bearer x"})):
        response = send(client, method, make_url(route))
        assert has_error_shape(response, 401), response.content
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("route", READ_ROUTES)
def test_each_parameter_of_the_schema_exists(client, make_url, route):
    """A client that was generated from the schema may send it, so it must not be an unknown parameter."""
    operation = get_served_schema()["paths"][BASE + route.replace("{pk}", "{id}")]["get"]
    names = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
    for name in names:
        response = send(client, "get", f"{make_url(route)}?{name}=%00")
        assert response.status_code == 400
        assert list(response.json()) == [name]
        assert response.json()[name] != ["There is no such parameter."]


@pytest.mark.parametrize("route", READ_ROUTES)
@time_machine.travel("2026-11-23T10:00Z", tick=False)
def test_a_slash_at_the_end_changes_nothing(client, make_url, route):
    url = make_url(route)
    response, response_with_slash = send(client, "get", url), send(client, "get", f"{url}/")
    assert response.status_code == 200
    assert response.content == response_with_slash.content.replace(f"{url}/?".encode(), f"{url}?".encode())
    assert send(client, "get", f"{url}//").status_code == 404


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_an_unknown_parameter_is_named(client, make_url, route, method):
    response = send(client, method, f"{make_url(route)}?colour=red")
    assert has_error_shape(response, 400), response.content
    assert set(response.json()) == {"colour"}


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_a_query_that_is_not_utf8_is_400(client, make_url, route, method):
    response = send(client, method, f"{make_url(route)}?search=%FF&%C3=1&q=%C3%A9")
    assert has_error_shape(response, 400), response.content
    assert response.json() == {"search": ["This is not UTF-8."], "\ufffd": ["This is not UTF-8."]}


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_no_response_may_be_cached(client, make_url, route, method):
    urls = (make_url(route), f"{make_url(route)}?colour=red", f"{make_url(route)}/nothing")
    responses = [send(caller, method, url) for caller in (client, APIClient()) for url in urls]
    responses.append(send(client, "delete" if method == "put" else "put", make_url(route)))
    responses.append(send(client, "get", "/api/v1/schema"))
    assert {response["Cache-Control"] for response in responses} == {"no-store"}, [
        response.status_code for response in responses
    ]


@pytest.mark.parametrize("route", sorted({route for route, *_ in ROUTES}))
def test_no_method_and_body_is_a_server_error(client, make_url, route):
    """This includes methods that a route lacks and routes that take no body, since throttles read bodies too."""
    for method in ("get", "options", "post", "put", "delete"):
        for caller in (client, APIClient()):
            for kind, body in (("application/json", "{}"), ("x", "[")):
                assert send(caller, method, make_url(route), body, kind).status_code < 500, (method, kind)


@pytest.mark.parametrize("route", READ_ROUTES)
def test_a_response_is_json_and_an_unknown_media_type_is_406(client, make_url, route):
    url = make_url(route)
    assert send(client, "get", url)["Content-Type"] == "application/json"
    assert has_error_shape(send(client, "get", url, accept="text/plain"), 406)


@pytest.mark.parametrize("route", sorted({route for route, *_ in ROUTES}))
def test_another_method_is_405(client, make_url, route):
    methods_of_route = {method for response_with_slash, method, _ in ROUTES if response_with_slash == route}
    for method in {"get", "post", "put", "patch", "delete", "options"} - methods_of_route:
        assert has_error_shape(send(client, method, make_url(route)), 405), method


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES if "{" in route])
@pytest.mark.parametrize("pk", ["0", "999999999", "9223372036854775808", "9" * 40, "x", "1.0", "-1", "１", "%00"])
def test_a_row_that_does_not_exist_is_404(client, make_url, route, method, pk):
    response = send(client, method, make_url(route, pk), "{}")
    assert response.status_code == 404 or (method in ("post", "patch") and has_error_shape(response, 400))
    assert has_error_shape(response, response.status_code)


MALFORMED_BODIES = [
    "{",
    "[]",
    "null",
    '{"a": 1, "a": 2}',
    '{"a": NaN}',
    '{"a": 1e400}',
    b'{"a": "\xff"}',
    '{"\\ud800": 1}',
    '{"a":' * 100_000,
    '{"a":' * 40 + "1" + "}" * 40,
]


@pytest.mark.parametrize(("route", "method"), WRITE_ROUTES)
def test_a_malformed_body_is_400(client, make_url, route, method):
    for body in MALFORMED_BODIES:
        assert has_error_shape(send(client, method, make_url(route), body), 400), body[:40]


@pytest.mark.parametrize(("route", "method"), WRITE_ROUTES)
def test_a_body_that_is_not_json_in_utf8_is_415(client, make_url, route, method):
    for kind in (
        "application/json; charset=latin-1",
        "text/plain",
        "application/x-www-form-urlencoded",
        "nonsense",
        "*/*",
    ):
        if not (route in FORM_ROUTES and kind == "application/x-www-form-urlencoded"):
            assert has_error_shape(send(client, method, make_url(route), "{}", kind), 415), kind


@pytest.mark.parametrize(("route", "method"), WRITE_ROUTES)
def test_a_body_over_a_megabyte_is_413(client, make_url, route, method):
    assert has_error_shape(send(client, method, make_url(route), " " * (MAX_BODY_BYTES + 1)), 413)


@pytest.mark.parametrize(("route", "method"), WRITE_ROUTES)
def test_an_unknown_key_is_named(client, make_url, route, method):
    response = send(client, method, make_url(route), json.dumps({"colour": "red"}))
    assert has_error_shape(response, 400), (response.status_code, response.content)
    assert "colour" in response.json()


@pytest.mark.parametrize("route", ["", "nothing", "sales", "sales/leads/1/nothing", "sales/reports", "auth"])
def test_an_unknown_address_is_404_in_json(client, route):
    assert has_error_shape(send(client, "get", BASE + route), 404)
    assert has_error_shape(send(APIClient(), "post", BASE + route, "{}"), 404)


@pytest.mark.parametrize("route", READ_ROUTES)
def test_the_browsable_api_works_with_a_session(make_url, admin, route):
    client = APIClient()
    client.force_login(admin)
    response = send(client, "get", make_url(route), accept="text/html,*/*;q=0.8")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
