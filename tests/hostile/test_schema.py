"""Requests made up from the served schema, half as it says and half not: no answer is a fault of ours or undocumented.

A round makes `HOSTILE_EXAMPLES` requests a call, 12 where nothing else is said: some hundreds. The long form, for the
night and before a release, is more than ten thousand:

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
ALWAYS = [
    any_check.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
COUNTS: Counter[int] = Counter()  # requests made, by the status of the answer


@pytest.fixture(scope="module", autouse=True)
def _report():
    yield
    by_status = ", ".join(f"{count} × {status}" for status, count in sorted(COUNTS.items()))
    sys.stdout.write(f"\n{COUNTS.total()} requests: {by_status}\n")


@pytest.fixture
def world(make_lead, admin, rep, stranger, leaver):
    """Ids that there are, by the name of what has them."""
    source = LeadSource.objects.create(name="Fair")
    leads = [make_lead(assigned_to=each, source=source, score=60) for each in (admin, rep, None)]
    closed = make_lead(assigned_to=admin, status="won", pickup_at=now())
    cadence = Cadence.objects.create(name="New inquiry")
    CadenceStep.objects.create(cadence=cadence, day=0, follow_up_type="call")
    task = {"follow_up_type": "call", "scheduled_date": "2026-01-05"}
    open_ones = [FollowUp.objects.create(lead=lead, assigned_to=admin, **task) for lead in leads]
    done = FollowUp.objects.create(
        lead=closed,
        assigned_to=admin,
        completed=True,
        completed_at=now(),
        completed_by=admin,
        outcome="successful",
        **task,
    )
    log = Activity.objects.create(lead=leads[0], activity_type="note", user=rep)
    told = Notification.objects.create(kind="lead_assigned", recipient=admin, dedupe_key="x", context={"lead_id": 1})
    return {
        "activities": [log.pk],
        "notifications": [told.pk],
        "leads": [lead.pk for lead in (*leads, closed)],
        "cadences": [cadence.pk],
        "follow-ups": [each.pk for each in (*open_ones, done)],
        "rules": list(LeadScoringRule.objects.values_list("pk", flat=True)[:3]),
        "runs": [ScoringRun.objects.create(rule_set_version=1, state="done").pk],
        "sources": [source.pk],
        "transfers": [TransferBatch.objects.create(by=admin).pk],
        "users": [each.pk for each in (admin, rep, stranger, leaver)],
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
def served(_one_connection, django_db_setup, django_db_blocker):
    """The schema as it is served to somebody who is logged in."""
    with django_db_blocker.unblock(), transaction.atomic():
        somebody = User.objects.create(email="reader@example.com", full_name="Reader", time_zone="UTC")
        schema = schemathesis.openapi.from_wsgi("/api/v1/schema", application, headers=bearer(somebody))
        transaction.set_rollback(True)
    return schema


@pytest.fixture(autouse=True)
def _unthrottled(settings):
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES)  # they have tests of their own


def bearer(user):
    return {"Authorization": f"Bearer {services.start_session(user=user).access_token}"}


def cases(operation):
    """As the schema says, and not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


def point_at_rows(case, world, pick):
    """Give most ids of the case rows to be of: made-up ids are those of nothing."""
    resource = case.operation.path.split("/{")[0].rpartition("/")[2]
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, int):
            case.path_parameters[name] = pick(world["leads" if name == "lead_id" else resource])
    body = case.body if isinstance(case.body, dict) else {}
    named = {"lead_id": "leads", "assigned_to": "users", "to_user_id": "users", "source": "sources",
             "cadence_id": "cadences"}  # fmt: skip
    for name, kind in named.items():
        for place in (body, case.query or {}):
            if type(place.get(name)) is int:
                place[name] = pick(world[kind])
    if isinstance(body.get("lead_ids"), list):
        body["lead_ids"] = [pick(world["leads"]) if type(each) is int else each for each in body["lead_ids"]]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("route", "method"), [(route, method) for route, method, _ in ROUTES])
def test_every_answer_is_as_the_schema_says(world, served, admin, route, method):
    operation = served["/api/v1/" + route.replace("{pk}", "{id}")][method]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 100,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=cases(operation), choices=st.data())
    def ask(case, choices):
        if choices.draw(st.integers(0, 9)):
            point_at_rows(case, world, lambda rows: choices.draw(st.sampled_from(rows)))
        with transaction.atomic():
            response = case.call(headers=bearer(admin))
            transaction.set_rollback(True)
        COUNTS[response.status_code] += 1
        case.validate_response(response, checks=ALWAYS)

    ask()


def test_the_schema_has_every_route(served):
    paths = {f"/api/v1/{route.replace('{pk}', '{id}')}" for route, *_ in ROUTES}
    assert set(served.raw_schema["paths"]) - {"/api/v1/schema"} == paths
