"""Every route that reads costs the same number of queries for one row and for fifty."""

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
from tests.athena.api.routes import BASE, READS
from tests.fixtures import new_user

FROM_CODE = {"sales/scoring/fields", "notifications/preferences"}  # as long as the registry


def filler(admin):
    """Adds a row of everything, each about people of its own and about the first lead. Returns rows by resource."""
    numbers = itertools.count(1)
    make_lead = partial(Lead.objects.create, company_name="Lincoln High School Band")
    LeadScoringRule.objects.all().delete()
    LostReason.objects.all().delete()
    first = make_lead(assigned_to=admin)

    def add():
        number = next(numbers)
        somebody, other = (
            new_user(f"{name}{number}", team=Team.objects.create(name=f"{name} {number}")) for name in ("one", "two")
        )
        source = LeadSource.objects.create(name=f"Fair {number}")
        spend = LeadSource.objects.first()
        SourceSpend.objects.create(source=spend, campaign=f"Campaign {number}", month="2026-01-01", amount=number)
        make_lead(
            status="lost", lost_reason=LostReason.objects.create(name=f"reason_{number}", label=f"Reason {number}")
        )
        make_lead(assigned_to=somebody, source=source, score=50 + number % 50)
        task = {"follow_up_type": "call", "scheduled_date": "2099-01-05", "created_by": other}
        FollowUp.objects.create(lead=make_lead(assigned_to=somebody), assigned_to=admin, **task)
        FollowUp.objects.create(lead=first, assigned_to=somebody, **task)
        activity = Activity.objects.create(lead=first, activity_type="note", user=somebody)
        run = ScoringRun.objects.create(state="done", rule_set_version=1, started_by=somebody)
        LeadScoringRule.objects.create(
            rule_name=f"Rule {number}", rule_type="attribute", condition_field="estimated_passengers",
            condition_operator="at_least", condition_value=str(number), points=1,
        )  # fmt: skip
        LeadScoreHistory.objects.create(
            lead=first, old_score=0, new_score=1, points_changed=1, run=run, user=other, activity=activity
        )
        LeadTransfer.objects.create(
            lead=first, batch=TransferBatch.objects.create(by=admin), from_user=somebody, to_user=other,
            transferred_by=admin,
        )  # fmt: skip
        cadence = Cadence.objects.create(name=f"Cadence {number}")
        CadenceEnrolment.objects.create(lead=first, cadence=cadence, day=0, stopped_at=timezone.now(), stop_reason="x")
        make_lead(status="won", pickup_at=timezone.now() - timedelta(days=130), assigned_to=somebody)
        outbox.add(kind="lead_assigned", recipient_id=admin.pk, dedupe_key=str(number), context={"lead_id": number})
        search_index.index_missing_leads(10)
        return {
            "users": somebody, "leads": first, "activities": activity, "cadences": cadence,
            "follow-ups": FollowUp.objects.first(), "sources": spend, "runs": run,
            "rules": LeadScoringRule.objects.first(), "notifications": Notification.objects.first(),
        }  # fmt: skip

    return add


@pytest.fixture(scope="module")
def responses(made_once):
    """What each route answers, and with how many queries, with one row of everything and with fifty."""
    admin = new_user("admin", Role.ADMIN)
    add, client, found = filler(admin), APIClient(), {route: [] for route in READS}
    client.force_authenticate(admin)
    ids = add()
    for more in (0, 49):
        for _ in range(more):
            add()
        for route in READS:
            resource = route.split("/{")[0].rpartition("/")[2]
            keys = {"pk": ids.get(resource, admin).pk, "lead_id": ids["leads"].pk}
            with CaptureQueriesContext(connection) as captured:
                response = client.get(BASE + route.format(**keys))
            found[route].append((response.status_code, len(captured), response.json()))
    return found


@pytest.mark.parametrize("route", READS)
def test_the_same_for_one_and_for_fifty(responses, route):
    (status, count, few), (status_then, count_then, many) = responses[route]
    assert status == 200, (few, many)
    assert status_then == 200, (few, many)
    assert count == count_then
    if rows(few) is not None and route not in FROM_CODE:
        assert rows(many) >= 20 > rows(few), "the rows are there"


def rows(body):
    """How many the answer lists; None where it is one object."""
    if isinstance(body, list):
        return len(body)
    names = ("results", "history", "transfers", "rules", "rows", "duplicates")
    lists = [body[name] for name in names if name in body]
    return len(lists[0]) if lists else None
