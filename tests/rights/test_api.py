"""Who may use every route of the API: a table with one row per route and one column per person."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIClient

from athena.accounts import services
from athena.accounts.models import User
from sales.reports.registry import REPORTS
from tests.athena.api.routes import BASE, ROUTES
from tests.rights.conftest import PEOPLE, read_all_rows, run_and_undo, statuses_by_person

FOLLOW_UP = {"follow_up_type": "call", "scheduled_date": "2099-02-05"}
RULE = {
    "rule_name": "New", "rule_type": "attribute", "condition_field": "is_repeat", "condition_operator": "equals",
    "condition_value": "true", "points": 1,
}  # fmt: skip
WRONG_PASSWORDS = {"current_password": "wrong", "new_password": "wrong"}
LOGIN = {"email": "who@example.com", "password": "wrong"}
ALL_USERS = "401 200 200 200 200 200 200 200 200 401"
OWN_ROW = "401 200 404 404 404 404 404 404 404 401"
READ_LEAD = "401 200 200 404 200 200 404 200 200 401"
WRITE_LEAD = "401 200 403 404 403 200 404 200 200 401"
MANAGERS = "401 403 403 403 403 200 200 200 200 401"

# By route, method and variant: the body, and the status for
# nobody owner colleague stranger helper manager other_manager company_manager admin leaver
TABLE: dict[tuple[str, str, str], tuple[Any, str]] = {
    ("auth/change-password", "post", ""): (WRONG_PASSWORDS, "401 400 400 400 400 400 400 400 400 401"),
    ("auth/login", "post", ""): (LOGIN, "401 401 401 401 401 401 401 401 401 401"),
    ("auth/logout", "post", ""): ({"refresh_token": "x"}, ALL_USERS.replace("200", "204")),
    ("auth/me", "get", ""): (None, ALL_USERS),
    ("auth/me", "patch", ""): ({"full_name": "New"}, ALL_USERS),
    ("auth/me/calendar", "get", ""): (None, ALL_USERS),
    ("auth/me/calendar", "post", ""): (None, ALL_USERS),
    ("auth/refresh", "post", ""): ({"refresh_token": "x"}, "401 401 401 401 401 401 401 401 401 401"),
    ("users", "get", ""): (None, ALL_USERS),
    ("users/{pk}", "get", ""): (None, ALL_USERS),
    ("notifications", "get", ""): (None, ALL_USERS),
    ("notifications/preferences", "get", ""): (None, ALL_USERS),
    ("notifications/preferences", "put", ""): ({"kinds": [], "reminder_minutes": 5, "digest_hour": 6}, ALL_USERS),
    ("notifications/read-all", "post", ""): (None, ALL_USERS),
    ("notifications/{pk}", "get", ""): (None, OWN_ROW),
    ("notifications/{pk}/read", "post", ""): (None, OWN_ROW),
    ("unsubscribe/{pk}", "post", ""): (None, "200 200 200 200 200 200 200 200 200 200"),
    ("sales/leads", "get", ""): (None, ALL_USERS),
    ("sales/leads", "post", ""): ({"company_name": "New"}, ALL_USERS.replace("200", "201")),
    ("sales/leads", "post", "owner"): (
        {"company_name": "New", "assigned_to": "{colleague}"}, "401 403 201 403 403 201 201 201 201 401"
    ),
    ("sales/leads/high-score", "get", ""): (None, ALL_USERS),
    ("sales/leads/{pk}", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}", "get", "unassigned"): (None, "401 404 404 404 404 200 200 200 200 401"),
    ("sales/leads/{pk}", "get", "archived"): (None, "401 404 404 404 404 404 404 404 404 401"),
    ("sales/leads/{pk}", "patch", ""): ({"notes": "New"}, WRITE_LEAD),
    ("sales/leads/{pk}", "patch", "unassigned"): ({"notes": "New"}, "401 404 404 404 404 200 200 200 200 401"),
    ("sales/leads/{pk}", "delete", ""): (None, "401 403 403 403 403 204 404 204 204 401"),
    ("sales/leads/{pk}/activities", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/activities", "post", ""): ({"activity_type": "note"}, WRITE_LEAD.replace("200", "201")),
    ("sales/leads/call-again", "get", ""): (None, ALL_USERS),
    ("sales/leads/{pk}/cadences", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/cadences", "post", ""): (
        {"cadence_id": "{cadence}"}, WRITE_LEAD.replace("200", "409")  # the lead is already on one
    ),
    ("sales/leads/{pk}/cadences", "post", "colleagues"): (
        {"cadence_id": "{cadence}"}, "401 403 201 404 404 201 404 201 201 401"
    ),
    ("sales/leads/{pk}/stop-cadence", "post", ""): (None, WRITE_LEAD),
    ("sales/leads/{pk}/repeat", "post", ""): (None, WRITE_LEAD.replace("200", "409")),  # the lead is not won
    ("sales/leads/{pk}/repeat", "post", "won"): (None, WRITE_LEAD.replace("200", "201")),
    ("sales/cadences", "get", ""): (None, ALL_USERS),
    ("sales/cadences/{pk}", "get", ""): (None, ALL_USERS),
    ("sales/leads/{pk}/calculate-score", "post", ""): (None, WRITE_LEAD),
    ("sales/leads/{pk}/duplicates", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/merge", "post", ""): (
        {"duplicate_ids": ["{colleagues}"]}, "401 403 403 403 403 200 404 200 200 401"
    ),
    ("sales/leads/{pk}/not-duplicate", "post", ""): (
        {"lead_id": "{colleagues}"}, "401 204 204 404 404 204 404 204 204 401"
    ),
    ("sales/leads/{pk}/score", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/score-history", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/timeline", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/transfer", "post", ""): ({"to_user_id": "{colleague}"}, WRITE_LEAD),
    ("sales/leads/{pk}/transfer", "post", "abroad"): (
        {"to_user_id": "{stranger}"}, "401 403 403 404 403 200 404 200 200 401"
    ),
    ("sales/leads/{pk}/transfer-history", "get", ""): (None, READ_LEAD),
    ("sales/leads/bulk-transfer", "post", ""): (
        {"lead_ids": ["{lead}"], "to_user_id": "{colleague}", "reason": "New"}, MANAGERS
    ),
    ("sales/activities/{pk}", "get", ""): (None, READ_LEAD),
    ("sales/activities/{pk}", "patch", ""): ({"notes": "New"}, WRITE_LEAD),
    ("sales/activities/{pk}", "patch", "system's"): (
        {"notes": "New"}, WRITE_LEAD.replace("200", "409").replace("409", "403", 1)
    ),
    ("sales/transfers/{pk}/undo", "post", ""): (None, "401 403 403 404 403 403 404 403 200 401"),
    ("sales/transfers/{pk}/undo", "post", "manager's"): (None, "401 403 403 404 404 200 404 403 200 401"),
    ("sales/follow-ups", "get", ""): (None, ALL_USERS),
    ("sales/follow-ups", "post", ""): ({"lead_id": "{lead}", **FOLLOW_UP}, WRITE_LEAD.replace("200", "201")),
    ("sales/follow-ups", "post", "for somebody"): (
        {"lead_id": "{lead}", "assigned_to": "{colleague}", **FOLLOW_UP}, "401 403 403 404 403 201 404 201 201 401"
    ),
    ("sales/follow-ups/my-tasks", "get", ""): (None, ALL_USERS),
    ("sales/follow-ups/my-tasks", "get", "of somebody"): (
        "?user_id={owner}", "401 200 403 403 403 200 403 200 200 401"
    ),
    ("sales/follow-ups/lead/{lead_id}", "get", ""): (None, READ_LEAD),
    ("sales/follow-ups/{pk}", "get", ""): (None, READ_LEAD),
    ("sales/follow-ups/{pk}", "patch", ""): ({"notes": "New"}, WRITE_LEAD),
    ("sales/follow-ups/{pk}", "patch", "helper's"): ({"notes": "New"}, "401 403 403 404 200 200 404 200 200 401"),
    ("sales/follow-ups/{pk}", "patch", "give away"): (
        {"assigned_to": "{colleague}"}, "401 403 403 404 403 200 404 200 200 401"
    ),
    ("sales/follow-ups/{pk}", "delete", ""): (None, WRITE_LEAD.replace("200", "204")),
    ("sales/follow-ups/calendar.ics", "get", ""): (None, "401 401 401 401 401 401 401 401 401 401"),  # no token
    ("sales/follow-ups/{pk}/snooze", "post", ""): ({"minutes": 30}, WRITE_LEAD),
    ("sales/follow-ups/{pk}/snooze", "post", "helper's"): ({"minutes": 30}, "401 403 403 404 200 200 404 200 200 401"),
    ("sales/follow-ups/{pk}/complete", "post", ""): (
        {"outcome": "successful"}, "401 200 403 404 403 403 404 403 403 401"
    ),
    ("sales/follow-ups/{pk}/complete", "post", "helper's"): (
        {"outcome": "successful"}, "401 403 403 404 200 403 404 403 403 401"
    ),
    ("sales/follow-ups/{pk}/complete", "post", "helper's, and the lead's end"): (
        {"outcome": "lost", "close": "lost", "lost_reason": "price"}, "401 403 403 404 403 403 404 403 403 401"
    ),
    # Reports are for managers, unless a line below says otherwise.
    **{(f"sales/reports/{slug}", "get", ""): (None, MANAGERS) for slug in REPORTS},
    ("sales/reports/follow-up-performance", "get", ""): (None, ALL_USERS),
    ("sales/reports/follow-up-performance", "get", "of somebody"): (
        "?user_id={owner}", "401 200 403 403 403 200 403 200 200 401"
    ),
    ("sales/scoring/fields", "get", ""): (None, MANAGERS),
    ("sales/scoring/recalculate-all", "post", ""): (None, MANAGERS.replace("200", "202")),
    ("sales/scoring/rules", "get", ""): (None, MANAGERS),
    ("sales/scoring/rules", "post", ""): (RULE, MANAGERS.replace("200", "201")),
    ("sales/scoring/rules/preview", "post", ""): ({"rules": []}, MANAGERS),
    ("sales/scoring/rules/{pk}", "get", ""): (None, MANAGERS),
    ("sales/scoring/rules/{pk}", "patch", ""): ({"points": 2}, MANAGERS),
    ("sales/scoring/rules/{pk}", "delete", ""): (None, MANAGERS.replace("200", "204")),
    ("sales/scoring/runs", "get", ""): (None, MANAGERS),
    ("sales/scoring/runs/{pk}", "get", ""): (None, MANAGERS),
    ("sales/sources", "get", ""): (None, ALL_USERS),
    ("sales/sources", "post", ""): ({"name": "New"}, MANAGERS.replace("200", "201")),
    ("sales/sources/{pk}", "get", ""): (None, ALL_USERS),
    ("sales/sources/{pk}", "patch", ""): ({"channel": "ads"}, MANAGERS),
    ("sales/sources/{pk}/spend", "get", ""): (None, MANAGERS),
    ("sales/sources/{pk}/spend", "post", ""): (
        {"month": "2026-02-01", "amount": 5}, MANAGERS.replace("200", "201")
    ),
    ("sales/sources/{pk}/spend", "post", "again"): ({"month": "2026-01-01", "amount": 5}, MANAGERS),
    ("sales/lost-reasons", "get", ""): (None, ALL_USERS),
    ("intake/leads", "post", ""): (
        {"key": "a-key", "contact_name": "New", "phone": "617 555 0100"}, "202 202 202 202 202 202 202 202 202 202"
    ),
}  # fmt: skip


@pytest.fixture
def clients(people):
    """By person, a client with a real token. The leaver got theirs before the deactivation."""
    results = {"nobody": APIClient()}
    for name, user in people.items():
        results[name] = APIClient(headers={"Authorization": f"Bearer {services.start_session(user=user).access_token}"})
    User.objects.filter(pk=people["leaver"].pk).update(is_active=False)
    return results


@pytest.fixture
def send_request(clients, world, people, won):
    def fill_in_ids(value):
        names = {name: user.pk for name, user in people.items()} | {
            "lead": world.lead.pk, "colleagues": world.leads["colleagues"].pk, "cadence": world.cadence.pk
        }  # fmt: skip
        for name, pk in names.items():
            value = value.replace(f'"{{{name}}}"', str(pk)).replace(f"{{{name}}}", str(pk))
        return value

    rows_before = read_all_rows()

    def send(person, route, method, variant, body):
        keys = {
            "leads": {**world.leads, "won": won}.get(variant, world.lead), "rules": None, "runs": world.run,
            "activities": world.timeline.system if variant == "system's" else world.timeline.activity,
            "sources": world.source, "transfers": world.manager_batch if "manager" in variant else world.timeline.batch,
            "users": people["stranger"], "cadences": world.cadence,
            "notifications": world.notification, "unsubscribe": SimpleNamespace(pk=world.token),
            "follow-ups": world.helpers_follow_up if "helper's" in variant else world.follow_up,
        }  # fmt: skip
        row = keys.get(route.split("/{")[0].rpartition("/")[2])
        path = BASE + route.format(pk=row.pk if row else 1, lead_id=world.lead.pk)
        if isinstance(body, str):
            path, body = path + fill_in_ids(body), None
        data = None if body is None else json.loads(fill_in_ids(json.dumps(body)))
        response, has_written = run_and_undo(rows_before, lambda: getattr(clients[person], method)(path, data))
        return response.status_code, has_written

    return send


def test_the_table_contains_every_route():
    assert {(route, method) for route, method, _ in TABLE} == {(route, method) for route, method, _ in ROUTES}


@pytest.mark.parametrize("case", TABLE, ids=" ".join)
def test_who_may_use_a_route(send_request, case):
    body, expected = TABLE[case]
    results = {person: send_request(person, *case, body) for person in PEOPLE}
    assert {person: status for person, (status, _) in results.items()} == statuses_by_person(expected)
    assert [
        person
        for person, (status, has_written) in results.items()
        if has_written and (status >= 400 or case[1] == "get")
    ] == []


# For a row that a user may not see, the response never depends on the request: valid, malformed or with a version.
LEAD_ROUTES = ("sales/leads/{", "sales/follow-ups/{pk}", "sales/activities/{pk}")
ROUTES_OF_LEADS = [(route, method) for route, method, _ in ROUTES if route.startswith(LEAD_ROUTES)]
REQUEST_VARIANTS: dict[str, tuple[Any, dict[str, str]]] = {
    "valid": ({}, {}), "malformed": ([1], {}), "wrong": ({"to_user_id": 999_999, "notes": 5, "outcome": "x"}, {}),
    "versioned": ({"notes": "x"}, {"If-Match": '"1"'}), "kept": ({"notes": "x"}, {"Idempotency-Key": "of {key}"}),
}  # fmt: skip


@pytest.mark.parametrize("variant", REQUEST_VARIANTS)
@pytest.mark.parametrize(("route", "method"), ROUTES_OF_LEADS)
def test_an_invisible_row_looks_like_a_missing_row(clients, world, route, method, variant):
    body, headers = REQUEST_VARIANTS[variant]
    for person in ("owner", "manager"):
        responses = []
        unseen = {
            "leads": world.leads["secret"],
            "follow-ups": world.secret_follow_up,
            "activities": world.secret_timeline.activity,
        }
        for key in (unseen[route.split("/")[1]].pk, 999_999):
            path = BASE + route.format(pk=key)
            sent_headers = {name: value.format(key=key) for name, value in headers.items()}
            response = getattr(clients[person], method)(path, None if method == "get" else body, headers=sent_headers)
            responses.append((response.status_code, response.content))
        assert responses[0] == responses[1]
        assert responses[0][0] in (400, 403, 404)


VISIBLE_LEADS = {
    "owner": {"lead", "colleagues"}, "colleague": {"lead", "colleagues"}, "stranger": {"secret"}, "helper": {"lead",
    "secret"},
    "manager": {"lead", "colleagues", "unassigned"}, "other_manager": {"secret", "unassigned"},
    "company_manager": {"lead", "colleagues", "secret", "unassigned"}, "admin": {"lead", "colleagues", "secret",
    "unassigned"},
}  # fmt: skip


@pytest.mark.parametrize(("person", "names"), VISIBLE_LEADS.items())
@pytest.mark.parametrize("route", ["sales/leads", "sales/leads?search=o", "sales/leads/high-score", "sales/follow-ups"])
def test_a_list_contains_the_visible_rows(clients, world, person, names, route):
    response = clients[person].get(BASE + route).json()
    rows = response if isinstance(response, list) else response["results"]
    results = {row.get("lead_id", row["id"]) for row in rows}
    expected = {world.leads[name].pk for name in names}
    assert results == (expected & {world.lead.pk, world.leads["secret"].pk} if "follow" in route else expected)


@pytest.mark.parametrize("person", VISIBLE_LEADS)
def test_a_report_contains_the_visible_users(clients, people, person, world):
    own, team = {people[person].pk}, {people[name].pk for name in ("owner", "colleague", "manager", "leaver")}
    other_team = {people[name].pk for name in ("stranger", "helper", "other_manager")}
    scope = {"manager": team, "other_manager": other_team}.get(
        person, team | other_team if person in ("company_manager", "admin") else own
    )
    rows = clients[person].get(f"{BASE}sales/reports/follow-up-performance").json()["by_user"]
    assigned = {people[name].pk for name in ("owner", "helper", "stranger")}
    assert {row["user_id"] for row in rows} == assigned & scope


def test_a_duplicate_is_named_only_to_those_who_may_see_it(clients, world):
    body = {"company_name": "Somebody", "email": "secret@club.example"}
    sent_headers = {
        person: "Secret" in clients[person].post(f"{BASE}sales/leads", body).content.decode()
        for person in VISIBLE_LEADS
    }
    assert sent_headers == dict.fromkeys(VISIBLE_LEADS, False) | {
        person: sent_headers[person] for person, names in VISIBLE_LEADS.items() if "secret" in names
    }
