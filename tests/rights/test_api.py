"""Every route of the API, for everybody: one line a route, one column a person."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIClient

from athena.accounts import services
from athena.accounts.models import User
from sales.reports.registry import REPORTS
from tests.athena.api.routes import BASE, ROUTES
from tests.rights.conftest import PEOPLE, columns, every_row, undone

PLAN = {"follow_up_type": "call", "scheduled_date": "2099-02-05"}
RULE = {
    "rule_name": "New", "rule_type": "attribute", "condition_field": "is_repeat", "condition_operator": "equals",
    "condition_value": "true", "points": 1,
}  # fmt: skip
WRONG = {"current_password": "wrong", "new_password": "wrong"}
LOGIN = {"email": "who@example.com", "password": "wrong"}
ANYBODY = "401 200 200 200 200 200 200 200 200 401"
OWN = "401 200 404 404 404 404 404 404 404 401"
READ_LEAD = "401 200 200 404 200 200 404 200 200 401"
WRITE_LEAD = "401 200 403 404 403 200 404 200 200 401"
MANAGERS = "401 403 403 403 403 200 200 200 200 401"

# route, method, variant: body, and the status for
#                                               nobody owner mate far helper boss far_boss free_boss admin gone
TABLE: dict[tuple[str, str, str], tuple[Any, str]] = {
    ("auth/change-password", "post", ""): (WRONG, "401 400 400 400 400 400 400 400 400 401"),
    ("auth/login", "post", ""): (LOGIN, "401 401 401 401 401 401 401 401 401 401"),
    ("auth/logout", "post", ""): ({"refresh_token": "x"}, ANYBODY.replace("200", "204")),
    ("auth/me", "get", ""): (None, ANYBODY),
    ("auth/me", "patch", ""): ({"full_name": "New"}, ANYBODY),
    ("auth/me/calendar", "get", ""): (None, ANYBODY),
    ("auth/me/calendar", "post", ""): (None, ANYBODY),
    ("auth/refresh", "post", ""): ({"refresh_token": "x"}, "401 401 401 401 401 401 401 401 401 401"),
    ("users", "get", ""): (None, ANYBODY),
    ("users/{pk}", "get", ""): (None, ANYBODY),
    ("notifications", "get", ""): (None, ANYBODY),
    ("notifications/preferences", "get", ""): (None, ANYBODY),
    ("notifications/preferences", "put", ""): ({"kinds": [], "reminder_minutes": 5, "digest_hour": 6}, ANYBODY),
    ("notifications/read-all", "post", ""): (None, ANYBODY),
    ("notifications/{pk}", "get", ""): (None, OWN),
    ("notifications/{pk}/read", "post", ""): (None, OWN),
    ("unsubscribe/{pk}", "post", ""): (None, "200 200 200 200 200 200 200 200 200 200"),
    ("sales/leads", "get", ""): (None, ANYBODY),
    ("sales/leads", "post", ""): ({"company_name": "New"}, ANYBODY.replace("200", "201")),
    ("sales/leads", "post", "owner"): (
        {"company_name": "New", "assigned_to": "{mate}"}, "401 403 201 403 403 201 201 201 201 401"
    ),
    ("sales/leads/high-score", "get", ""): (None, ANYBODY),
    ("sales/leads/{pk}", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}", "get", "unowned"): (None, "401 404 404 404 404 200 200 200 200 401"),
    ("sales/leads/{pk}", "get", "archived"): (None, "401 404 404 404 404 404 404 404 404 401"),
    ("sales/leads/{pk}", "patch", ""): ({"notes": "New"}, WRITE_LEAD),
    ("sales/leads/{pk}", "patch", "unowned"): ({"notes": "New"}, "401 404 404 404 404 200 200 200 200 401"),
    ("sales/leads/{pk}", "delete", ""): (None, "401 403 403 403 403 204 404 204 204 401"),
    ("sales/leads/{pk}/activities", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/activities", "post", ""): ({"activity_type": "note"}, WRITE_LEAD.replace("200", "201")),
    ("sales/leads/call-again", "get", ""): (None, ANYBODY),
    ("sales/leads/{pk}/cadences", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/cadences", "post", ""): (
        {"cadence_id": "{cadence}"}, WRITE_LEAD.replace("200", "409")  # it is on one
    ),
    ("sales/leads/{pk}/cadences", "post", "mates"): (
        {"cadence_id": "{cadence}"}, "401 403 201 404 404 201 404 201 201 401"
    ),
    ("sales/leads/{pk}/stop-cadence", "post", ""): (None, WRITE_LEAD),
    ("sales/leads/{pk}/repeat", "post", ""): (None, WRITE_LEAD.replace("200", "409")),  # it is not won
    ("sales/leads/{pk}/repeat", "post", "won"): (None, WRITE_LEAD.replace("200", "201")),
    ("sales/cadences", "get", ""): (None, ANYBODY),
    ("sales/cadences/{pk}", "get", ""): (None, ANYBODY),
    ("sales/leads/{pk}/calculate-score", "post", ""): (None, WRITE_LEAD),
    ("sales/leads/{pk}/duplicates", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/merge", "post", ""): (
        {"duplicate_ids": ["{mates}"]}, "401 403 403 403 403 200 404 200 200 401"
    ),
    ("sales/leads/{pk}/not-duplicate", "post", ""): (
        {"lead_id": "{mates}"}, "401 204 204 404 404 204 404 204 204 401"
    ),
    ("sales/leads/{pk}/score", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/score-history", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/timeline", "get", ""): (None, READ_LEAD),
    ("sales/leads/{pk}/transfer", "post", ""): ({"to_user_id": "{mate}"}, WRITE_LEAD),
    ("sales/leads/{pk}/transfer", "post", "abroad"): (
        {"to_user_id": "{far}"}, "401 403 403 404 403 200 404 200 200 401"
    ),
    ("sales/leads/{pk}/transfer-history", "get", ""): (None, READ_LEAD),
    ("sales/leads/bulk-transfer", "post", ""): (
        {"lead_ids": ["{lead}"], "to_user_id": "{mate}", "reason": "New"}, MANAGERS
    ),
    ("sales/activities/{pk}", "get", ""): (None, READ_LEAD),
    ("sales/activities/{pk}", "patch", ""): ({"notes": "New"}, WRITE_LEAD),
    ("sales/activities/{pk}", "patch", "system's"): (
        {"notes": "New"}, WRITE_LEAD.replace("200", "409").replace("409", "403", 1)
    ),
    ("sales/transfers/{pk}/undo", "post", ""): (None, "401 403 403 404 403 403 404 403 200 401"),
    ("sales/transfers/{pk}/undo", "post", "boss's"): (None, "401 403 403 404 404 200 404 403 200 401"),
    ("sales/follow-ups", "get", ""): (None, ANYBODY),
    ("sales/follow-ups", "post", ""): ({"lead_id": "{lead}", **PLAN}, WRITE_LEAD.replace("200", "201")),
    ("sales/follow-ups", "post", "for somebody"): (
        {"lead_id": "{lead}", "assigned_to": "{mate}", **PLAN}, "401 403 403 404 403 201 404 201 201 401"
    ),
    ("sales/follow-ups/my-tasks", "get", ""): (None, ANYBODY),
    ("sales/follow-ups/my-tasks", "get", "of somebody"): (
        "?user_id={owner}", "401 200 403 403 403 200 403 200 200 401"
    ),
    ("sales/follow-ups/lead/{lead_id}", "get", ""): (None, READ_LEAD),
    ("sales/follow-ups/{pk}", "get", ""): (None, READ_LEAD),
    ("sales/follow-ups/{pk}", "patch", ""): ({"notes": "New"}, WRITE_LEAD),
    ("sales/follow-ups/{pk}", "patch", "helper's"): ({"notes": "New"}, "401 403 403 404 200 200 404 200 200 401"),
    ("sales/follow-ups/{pk}", "patch", "give away"): (
        {"assigned_to": "{mate}"}, "401 403 403 404 403 200 404 200 200 401"
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
    ("sales/reports/follow-up-performance", "get", ""): (None, ANYBODY),
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
    ("sales/sources", "get", ""): (None, ANYBODY),
    ("sales/sources", "post", ""): ({"name": "New"}, MANAGERS.replace("200", "201")),
    ("sales/sources/{pk}", "get", ""): (None, ANYBODY),
    ("sales/sources/{pk}", "patch", ""): ({"channel": "ads"}, MANAGERS),
    ("sales/sources/{pk}/spend", "get", ""): (None, MANAGERS),
    ("sales/sources/{pk}/spend", "post", ""): (
        {"month": "2026-02-01", "amount": 5}, MANAGERS.replace("200", "201")
    ),
    ("sales/sources/{pk}/spend", "post", "again"): ({"month": "2026-01-01", "amount": 5}, MANAGERS),
    ("sales/lost-reasons", "get", ""): (None, ANYBODY),
    ("intake/leads", "post", ""): (
        {"key": "a-key", "contact_name": "New", "phone": "617 555 0100"}, "202 202 202 202 202 202 202 202 202 202"
    ),
}  # fmt: skip


@pytest.fixture
def clients(people):
    """Clients with real tokens; the one who is gone got theirs before."""
    found = {"nobody": APIClient()}
    for name, user in people.items():
        found[name] = APIClient(headers={"Authorization": f"Bearer {services.start_session(user=user).access_token}"})
    User.objects.filter(pk=people["gone"].pk).update(is_active=False)
    return found


@pytest.fixture
def ask(clients, world, people, won):
    def filled(value):
        names = {name: user.pk for name, user in people.items()} | {
            "lead": world.lead.pk, "mates": world.leads["mates"].pk, "cadence": world.cadence.pk
        }  # fmt: skip
        for name, pk in names.items():
            value = value.replace(f'"{{{name}}}"', str(pk)).replace(f"{{{name}}}", str(pk))
        return value

    before = every_row()

    def send(who, route, method, variant, body):
        keys = {
            "leads": {**world.leads, "won": won}.get(variant, world.lead), "rules": None, "runs": world.run,
            "activities": world.story.system if variant == "system's" else world.story.activity,
            "sources": world.source, "transfers": world.boss_batch if "boss" in variant else world.story.batch,
            "users": people["far"], "cadences": world.cadence,
            "notifications": world.told, "unsubscribe": SimpleNamespace(pk=world.token),
            "follow-ups": world.helpers if "helper's" in variant else world.plan,
        }  # fmt: skip
        row = keys.get(route.split("/{")[0].rpartition("/")[2])
        path = BASE + route.format(pk=row.pk if row else 1, lead_id=world.lead.pk)
        if isinstance(body, str):
            path, body = path + filled(body), None
        data = None if body is None else json.loads(filled(json.dumps(body)))
        response, wrote = undone(before, lambda: getattr(clients[who], method)(path, data))
        return response.status_code, wrote

    return send


def test_every_route_has_a_line():
    assert {(route, method) for route, method, _ in TABLE} == {(route, method) for route, method, _ in ROUTES}


@pytest.mark.parametrize("line", TABLE, ids=" ".join)
def test_who_may(ask, line):
    body, expected = TABLE[line]
    found = {who: ask(who, *line, body) for who in PEOPLE}
    assert {who: status for who, (status, _) in found.items()} == columns(expected)
    assert [who for who, (status, wrote) in found.items() if wrote and (status >= 400 or line[1] == "get")] == []


# Of a row that one can't see, what is asked of it makes no difference: valid, malformed, or by a version.
ROWS = ("sales/leads/{", "sales/follow-ups/{pk}", "sales/activities/{pk}")
OF_ROWS = [(route, method) for route, method, _ in ROUTES if route.startswith(ROWS)]
ASKED: dict[str, tuple[Any, dict[str, str]]] = {
    "valid": ({}, {}), "malformed": ([1], {}), "wrong": ({"to_user_id": 999_999, "notes": 5, "outcome": "x"}, {}),
    "versioned": ({"notes": "x"}, {"If-Match": '"1"'}), "kept": ({"notes": "x"}, {"Idempotency-Key": "of {key}"}),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(("route", "method"), OF_ROWS)
def test_an_unseen_row_answers_like_none(clients, world, route, method, asked):
    body, headers = ASKED[asked]
    for who in ("owner", "boss"):
        responses = []
        unseen = {"leads": world.leads["secret"], "follow-ups": world.secret_plan, "activities": world.secret.activity}
        for key in (unseen[route.split("/")[1]].pk, 999_999):
            path = BASE + route.format(pk=key)
            named = {name: value.format(key=key) for name, value in headers.items()}
            response = getattr(clients[who], method)(path, None if method == "get" else body, headers=named)
            responses.append((response.status_code, response.content))
        assert responses[0] == responses[1]
        assert responses[0][0] in (400, 403, 404)


LEADS = {
    "owner": {"lead", "mates"}, "mate": {"lead", "mates"}, "far": {"secret"}, "helper": {"lead", "secret"},
    "boss": {"lead", "mates", "unowned"}, "far_boss": {"secret", "unowned"},
    "free_boss": {"lead", "mates", "secret", "unowned"}, "admin": {"lead", "mates", "secret", "unowned"},
}  # fmt: skip


@pytest.mark.parametrize(("who", "names"), LEADS.items())
@pytest.mark.parametrize("route", ["sales/leads", "sales/leads?search=o", "sales/leads/high-score", "sales/follow-ups"])
def test_lists_hold_what_one_may_see(clients, world, who, names, route):
    response = clients[who].get(BASE + route).json()
    rows = response if isinstance(response, list) else response["results"]
    found = {row.get("lead_id", row["id"]) for row in rows}
    expected = {world.leads[name].pk for name in names}
    assert found == (expected & {world.lead.pk, world.leads["secret"].pk} if "follow" in route else expected)


@pytest.mark.parametrize("who", LEADS)
def test_reports_hold_whom_one_may_read(clients, people, who, world):
    mine, team = {people[who].pk}, {people[name].pk for name in ("owner", "mate", "boss", "gone")}
    far_team = {people[name].pk for name in ("far", "helper", "far_boss")}
    scope = {"boss": team, "far_boss": far_team}.get(who, team | far_team if who in ("free_boss", "admin") else mine)
    rows = clients[who].get(f"{BASE}sales/reports/follow-up-performance").json()["by_user"]
    assigned = {people[name].pk for name in ("owner", "helper", "far")}
    assert {row["user_id"] for row in rows} == assigned & scope


def test_a_duplicate_is_named_only_to_those_who_may_see_it(clients, world):
    body = {"company_name": "Somebody", "email": "secret@club.example"}
    named = {who: "Secret" in clients[who].post(f"{BASE}sales/leads", body).content.decode() for who in LEADS}
    assert named == dict.fromkeys(LEADS, False) | {who: named[who] for who, names in LEADS.items() if "secret" in names}
