"""Requests generated from the served schema, valid and invalid: no response is a server error or undocumented.

`HOSTILE_EXAMPLES` is the number of requests per operation, 12 by default, which makes some hundreds. The long run, at
night and before a release, makes more than ten thousand:

    HOSTILE_EXAMPLES=300 .venv/bin/python -m pytest -s -n0 tests/hostile/test_schema.py
"""

import os
import sys
from collections import Counter

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks as any_check
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from athena.accounts import services
from athena.accounts.models import User
from athena.wsgi import application
from notifications.models import Notification
from sales.models import (
    Activity,
    Cadence,
    CadenceStep,
    FollowUp,
    LeadScoringRule,
    LeadSource,
    ScoringRun,
    TransferBatch,
)
from tests.athena.api.routes import ROUTES

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "12"))
RESPONSE_CHECKS = [
    any_check.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
COUNTS: Counter[int] = Counter()  # requests by the status of the response


@pytest.fixture(scope="module", autouse=True)
def _report():
    yield
    by_status = ", ".join(f"{count} × {status}" for status, count in sorted(COUNTS.items()))
    sys.stdout.write(f"\n{COUNTS.total()} requests: {by_status}\n")


@pytest.fixture
def world(make_lead, admin, rep, stranger, leaver):
    """Existing ids by resource."""
    source = LeadSource.objects.create(name="Fair")
    leads = [make_lead(assigned_to=owner, source=source, score=60) for owner in (admin, rep, None)]
    closed = make_lead(assigned_to=admin, status="won", pickup_at=now())
    cadence = Cadence.objects.create(name="New inquiry")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    task = {"follow_up_type": "call", "scheduled_date": "2026-01-05"}
    open_follow_ups = [FollowUp.objects.create(lead=lead, assigned_to=admin, **task) for lead in leads]
    completed = FollowUp.objects.create(
        lead=closed,
        assigned_to=admin,
        completed=True,
        completed_at=now(),
        completed_by=admin,
        outcome="successful",
        **task,
    )
    activity = Activity.objects.create(lead=leads[0], activity_type="note", user=rep)
    notification = Notification.objects.create(
        kind="lead_assigned", recipient=admin, dedupe_key="x", context={"lead_id": 1}
    )
    return {
        "activities": [activity.pk],
        "notifications": [notification.pk],
        "leads": [lead.pk for lead in (*leads, closed)],
        "cadences": [cadence.pk],
        "follow-ups": [follow_up.pk for follow_up in (*open_follow_ups, completed)],
        "rules": list(LeadScoringRule.objects.values_list("pk", flat=True)[:3]),
        "runs": [ScoringRun.objects.create(rule_set_version=1, state="done").pk],
        "sources": [source.pk],
        "transfers": [TransferBatch.objects.create(by=admin).pk],
        "users": [user.pk for user in (admin, rep, stranger, leaver)],
    }


@pytest.fixture(scope="module", autouse=True)
def _one_connection():
    """Requests use the test's connection, and leave it and its transaction open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def served_schema(_one_connection, django_db_setup, django_db_blocker):
    """The schema that a user gets."""
    with django_db_blocker.unblock(), transaction.atomic():
        user = User.objects.create(email="reader@example.com", full_name="Reader", time_zone="UTC")
        schema = schemathesis.openapi.from_wsgi("/api/v1/schema", application, headers=make_headers(user))
        transaction.set_rollback(True)
    return schema


@pytest.fixture(autouse=True)
def _unthrottled(settings):
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES)  # throttles have their own tests


def make_headers(user):
    return {"Authorization": f"Bearer {services.start_session(user=user).access_token}"}


def generate_cases(operation):
    """Generate requests that obey the schema and requests that do not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


def use_existing_ids(case, world, pick):
    """Replace the ids in the case by existing ones, since generated ids belong to no row."""
    resource = case.operation.path.split("/{")[0].rpartition("/")[2]
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, int):
            case.path_parameters[name] = pick(world["leads" if name == "lead_id" else resource])
    body = case.body if isinstance(case.body, dict) else {}
    resources_by_field = {
        "lead_id": "leads",
        "assigned_to": "users",
        "to_user_id": "users",
        "source": "sources",
        "cadence_id": "cadences",
    }
    for name, resource_name in resources_by_field.items():
        for values in (body, case.query or {}):
            if type(values.get(name)) is int:
                values[name] = pick(world[resource_name])
    if isinstance(body.get("lead_ids"), list):
        body["lead_ids"] = [pick(world["leads"]) if type(lead_id) is int else lead_id for lead_id in body["lead_ids"]]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_every_response_obeys_the_schema(world, served_schema, admin, route, method):
    operation = served_schema["/api/v1/" + route.replace("{pk}", "{id}")][method]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 100,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=generate_cases(operation), choices=st.data())
    def check_response(case, choices):
        if choices.draw(st.integers(0, 9)):
            use_existing_ids(case, world, lambda rows: choices.draw(st.sampled_from(rows)))
        with transaction.atomic():
            response = case.call(headers=make_headers(admin))
            transaction.set_rollback(True)
        COUNTS[response.status_code] += 1
        case.validate_response(response, checks=RESPONSE_CHECKS)

    check_response()


def test_the_schema_has_every_route(served_schema):
    paths = {f"/api/v1/{route.replace('{pk}', '{id}')}" for route, *_ in ROUTES}
    assert set(served_schema.raw_schema["paths"]) - {"/api/v1/schema"} == paths
