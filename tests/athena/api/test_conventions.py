"""The conventions of the API, held against every route that there is."""

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
from tests.athena.api.routes import BASE, FORMS, OPEN, READS, ROUTES, WRITES, served
from tests.fixtures import new_user


@pytest.fixture(autouse=True)
def _undone_at_the_end(made_once, db):
    """Each test has a transaction of its own within the module's."""


@pytest.fixture(scope="module")
def admin(made_once):
    return new_user("admin", Role.ADMIN)


@pytest.fixture(scope="module")
def fill(admin):
    """A route's address, about rows that exist."""
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

    def address(route, pk=None):
        resource = route.split("/{")[0].rpartition("/")[2]
        return BASE + route.format(pk=pk or ids[resource].pk if "{pk}" in route else 0, lead_id=pk or lead.pk)

    return address


@pytest.fixture
def client(api, admin):
    return api(admin)


def call(client, method, url, data=None, content_type="application/json", **headers):
    return client.generic(method.upper(), url, data or "", content_type, headers=headers)


def is_error(answer, status):
    """One of the two shapes, in JSON."""
    if (answer.status_code, answer["Content-Type"]) != (status, "application/json"):
        return False
    body = answer.json()
    if set(body) == {"detail", "code"}:
        return all(isinstance(value, str) for value in body.values())
    return bool(body) and all(isinstance(why, list) and all(isinstance(w, str) for w in why) for why in body.values())


def test_the_table_of_routes_is_the_api():
    assert len(ROUTES) > 25
    assert {"sales/leads", "sales/leads/{pk}/activities", "auth/me", "users/{pk}"} <= {route for route, *_ in ROUTES}


@pytest.mark.parametrize(("route", "method"), [(r, m) for r, m, _ in ROUTES if r not in OPEN])
def test_nobody_who_is_not_logged_in_gets_anywhere(fill, route, method):
    for client in (APIClient(), APIClient(headers={"authorization": "Bearer x"})):
        answer = call(client, method, fill(route))
        assert is_error(answer, 401), answer.content
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("route", READS)
def test_each_parameter_that_the_schema_names_is_one(client, fill, route):
    """Not "There is no such parameter": a client that was made from the schema may send it."""
    operation = served()["paths"][BASE + route.replace("{pk}", "{id}")]["get"]
    names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    for name in names:
        refused = call(client, "get", f"{fill(route)}?{name}=%00")
        assert (refused.status_code, list(refused.json())) == (400, [name])
        assert refused.json()[name] != ["There is no such parameter."]


@pytest.mark.parametrize("route", READS)
@time_machine.travel("2026-11-23T10:00Z", tick=False)
def test_a_slash_at_the_end_changes_nothing(client, fill, route):
    url = fill(route)
    one, other = call(client, "get", url), call(client, "get", f"{url}/")
    assert (one.status_code, one.content) == (200, other.content.replace(f"{url}/?".encode(), f"{url}?".encode()))
    assert call(client, "get", f"{url}//").status_code == 404


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_an_unknown_parameter_is_named(client, fill, route, method):
    answer = call(client, method, f"{fill(route)}?colour=red")
    assert is_error(answer, 400), answer.content
    assert set(answer.json()) == {"colour"}


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_a_query_that_is_not_utf8_is_400(client, fill, route, method):
    answer = call(client, method, f"{fill(route)}?search=%FF&%C3=1&q=%C3%A9")
    assert is_error(answer, 400), answer.content
    assert answer.json() == {"search": ["This is not UTF-8."], "\ufffd": ["This is not UTF-8."]}


@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_no_cache_keeps_an_answer_whatever_it_is(client, fill, route, method):
    addresses = (fill(route), f"{fill(route)}?colour=red", f"{fill(route)}/nothing")
    answers = [call(caller, method, each) for caller in (client, APIClient()) for each in addresses]
    answers.append(call(client, "delete" if method == "put" else "put", fill(route)))
    answers.append(call(client, "get", "/api/v1/schema"))
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}, [answer.status_code for answer in answers]


@pytest.mark.parametrize("route", sorted({route for route, *_ in ROUTES}))
def test_any_method_with_any_body_is_answered(client, fill, route):
    """Also by routes that have no such method, and that take no body: throttles look at bodies, too."""
    for method in ("get", "options", "post", "put", "delete"):
        for caller in (client, APIClient()):
            for kind, body in (("application/json", "{}"), ("x", "[")):
                assert call(caller, method, fill(route), body, kind).status_code < 500, (method, kind)


@pytest.mark.parametrize("route", READS)
def test_json_unless_something_else_is_asked_for_that_we_have(client, fill, route):
    url = fill(route)
    assert call(client, "get", url)["Content-Type"] == "application/json"
    assert is_error(call(client, "get", url, accept="text/plain"), 406)


@pytest.mark.parametrize("route", sorted({route for route, *_ in ROUTES}))
def test_another_method_is_405(client, fill, route):
    there = {method for other, method, _ in ROUTES if other == route}
    for method in {"get", "post", "put", "patch", "delete", "options"} - there:
        assert is_error(call(client, method, fill(route)), 405), method


@pytest.mark.parametrize(("route", "method"), [(r, m) for r, m, _ in ROUTES if "{" in r])
@pytest.mark.parametrize("pk", ["0", "999999999", "9223372036854775808", "9" * 40, "x", "1.0", "-1", "１", "%00"])
def test_what_is_not_there_is_404(client, fill, route, method, pk):
    answer = call(client, method, fill(route, pk), "{}")
    assert answer.status_code == 404 or (method in ("post", "patch") and is_error(answer, 400))
    assert is_error(answer, answer.status_code)


MALFORMED = ["{", "[]", "null", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": 1e400}', b'{"a": "\xff"}', '{"\\ud800": 1}',
             '{"a":' * 100_000, '{"a":' * 40 + "1" + "}" * 40]  # fmt: skip


@pytest.mark.parametrize(("route", "method"), WRITES)
def test_a_malformed_body_is_400(client, fill, route, method):
    for body in MALFORMED:
        assert is_error(call(client, method, fill(route), body), 400), body[:40]


@pytest.mark.parametrize(("route", "method"), WRITES)
def test_a_body_that_is_not_json_in_utf8_is_415(client, fill, route, method):
    for kind in (
        "application/json; charset=latin-1",
        "text/plain",
        "application/x-www-form-urlencoded",
        "nonsense",
        "*/*",
    ):
        if not (route in FORMS and kind == "application/x-www-form-urlencoded"):
            assert is_error(call(client, method, fill(route), "{}", kind), 415), kind


@pytest.mark.parametrize(("route", "method"), WRITES)
def test_a_body_over_a_megabyte_is_413(client, fill, route, method):
    assert is_error(call(client, method, fill(route), " " * (MAX_BODY_BYTES + 1)), 413)


@pytest.mark.parametrize(("route", "method"), WRITES)
def test_an_unknown_key_is_named(client, fill, route, method):
    answer = call(client, method, fill(route), json.dumps({"colour": "red"}))
    assert is_error(answer, 400), (answer.status_code, answer.content)
    assert "colour" in answer.json()


@pytest.mark.parametrize("route", ["", "nothing", "sales", "sales/leads/1/nothing", "sales/reports", "auth"])
def test_an_unknown_address_is_404_in_json(client, route):
    assert is_error(call(client, "get", BASE + route), 404)
    assert is_error(call(APIClient(), "post", BASE + route, "{}"), 404)


@pytest.mark.parametrize("route", READS)
def test_the_browsable_api_works_with_a_session(fill, admin, route):
    client = APIClient()
    client.force_login(admin)
    answer = call(client, "get", fill(route), accept="text/html,*/*;q=0.8")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
