"""Every route that reads runs the same number of queries for one row and for fifty rows."""

import itertools
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from athena.accounts.models import Team
from athena.accounts.roles import Role
from notifications import outbox
from notifications.models import Notification
from sales.models import (
    Activity,
    Cadence,
    CadenceEnrolment,
    FollowUp,
    Lead,
    LeadScoreHistory,
    LeadScoringRule,
    LeadSource,
    LeadTransfer,
    LostReason,
    ScoringRun,
    SourceSpend,
    TransferBatch,
)
from sales.services.leads import search_index
from tests.athena.api.routes import BASE, READ_ROUTES
from tests.fixtures import new_user

FIXED_LENGTH_ROUTES = {"sales/scoring/fields", "notifications/preferences"}  # have a fixed number of rows


def make_row_adder(admin):
    """A function that adds a row of every kind, with new users and about the first lead. Returns rows by resource."""
    numbers = itertools.count(1)
    make_lead = partial(Lead.objects.create, company_name="Lincoln High School Band")
    LeadScoringRule.objects.all().delete()
    LostReason.objects.all().delete()
    first = make_lead(assigned_to=admin)

    def add():
        number = next(numbers)
        user, other_user = (
            new_user(f"{name}{number}", team=Team.objects.create(name=f"{name} {number}")) for name in ("one", "two")
        )
        source = LeadSource.objects.create(name=f"Fair {number}")
        spend = LeadSource.objects.first()
        SourceSpend.objects.create(source=spend, campaign=f"Campaign {number}", month="2026-01-01", amount=number)
        make_lead(
            status="lost", lost_reason=LostReason.objects.create(name=f"reason_{number}", label=f"Reason {number}")
        )
        make_lead(assigned_to=user, source=source, score=50 + number % 50)
        task = {"follow_up_type": "call", "scheduled_date": "2099-01-05", "created_by": other_user}
        FollowUp.objects.create(lead=make_lead(assigned_to=user), assigned_to=admin, **task)
        FollowUp.objects.create(lead=first, assigned_to=user, **task)
        activity = Activity.objects.create(lead=first, activity_type="note", user=user)
        run = ScoringRun.objects.create(state="done", rule_set_version=1, started_by=user)
        LeadScoringRule.objects.create(
            rule_name=f"Rule {number}", rule_type="attribute", condition_field="estimated_passengers",
            condition_operator="at_least", condition_value=str(number), points=1,
        )  # fmt: skip
        LeadScoreHistory.objects.create(
            lead=first, old_score=0, new_score=1, points_changed=1, run=run, user=other_user, activity=activity
        )
        LeadTransfer.objects.create(
            lead=first, batch=TransferBatch.objects.create(by=admin), from_user=user, to_user=other_user,
            transferred_by=admin,
        )  # fmt: skip
        cadence = Cadence.objects.create(name=f"Cadence {number}")
        CadenceEnrolment.objects.create(lead=first, cadence=cadence, day=0, stopped_at=timezone.now(), stop_reason="x")
        make_lead(status="won", pickup_at=timezone.now() - timedelta(days=130), assigned_to=user)
        outbox.add(kind="lead_assigned", recipient_id=admin.pk, dedupe_key=str(number), context={"lead_id": number})
        search_index.index_missing_leads(10)
        return {
            "users": user, "leads": first, "activities": activity, "cadences": cadence,
            "follow-ups": FollowUp.objects.first(), "sources": spend, "runs": run,
            "rules": LeadScoringRule.objects.first(), "notifications": Notification.objects.first(),
        }  # fmt: skip

    return add


@pytest.fixture(scope="module")
def route_results(made_once):
    """By route: status, number of queries and body, with one row of every kind and with fifty."""
    admin = new_user("admin", Role.ADMIN)
    add, client, responses_by_route = make_row_adder(admin), APIClient(), {route: [] for route in READ_ROUTES}
    client.force_authenticate(admin)
    ids = add()
    for added_rows in (0, 49):
        for _ in range(added_rows):
            add()
        for route in READ_ROUTES:
            resource = route.split("/{")[0].rpartition("/")[2]
            keys = {"pk": ids.get(resource, admin).pk, "lead_id": ids["leads"].pk}
            with CaptureQueriesContext(connection) as captured:
                response = client.get(BASE + route.format(**keys))
            responses_by_route[route].append((response.status_code, len(captured), response.json()))
    return responses_by_route


@pytest.mark.parametrize("route", READ_ROUTES)
def test_a_route_runs_as_many_queries_for_fifty_rows_as_for_one(route_results, route):
    (status, count, one_row_body), (later_status, later_count, fifty_rows_body) = route_results[route]
    assert status == 200, (one_row_body, fifty_rows_body)
    assert later_status == 200, (one_row_body, fifty_rows_body)
    assert count == later_count
    if count_rows(one_row_body) is not None and route not in FIXED_LENGTH_ROUTES:
        assert count_rows(fifty_rows_body) >= 20 > count_rows(one_row_body), "the response contains the added rows"


def count_rows(body):
    """The number of rows in the body, or None if it is a single object."""
    if isinstance(body, list):
        return len(body)
    names = ("results", "history", "transfers", "rules", "rows", "duplicates")
    lists = [body[name] for name in names if name in body]
    return len(lists[0]) if lists else None
