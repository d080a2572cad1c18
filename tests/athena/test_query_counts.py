"""Every route that reads costs the same number of queries for one row and for fifty."""

import itertools
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athena.accounts.models import Team
from notifications import outbox
from notifications.models import Notification
from sales.models import (
    Activity,
    Cadence,
    CadenceEnrolment,
    FollowUp,
    LeadScoreHistory,
    LeadScoringRule,
    LeadSource,
    LeadTransfer,
    LostReason,
    ScoringRun,
    SourceSpend,
    TransferBatch,
)
from sales.services import search
from tests.athena.routes import BASE, READS

FROM_CODE = {"sales/scoring/fields", "notifications/preferences"}  # as long as the registry


@pytest.fixture
def fill(make_user, make_lead, admin):
    """Adds a row of everything, each about people of its own and about the first lead. Returns that lead."""
    numbers = itertools.count(1)
    LeadScoringRule.objects.all().delete()
    LostReason.objects.all().delete()
    first = make_lead(assigned_to=admin)

    def add():
        number = next(numbers)
        somebody, other = (
            make_user(f"{name}{number}", team=Team.objects.create(name=f"{name} {number}")) for name in ("one", "two")
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
        search.fill(10)
        return {
            "users": somebody, "leads": first, "activities": activity, "cadences": cadence,
            "follow-ups": FollowUp.objects.first(), "sources": spend, "runs": run,
            "rules": LeadScoringRule.objects.first(), "notifications": Notification.objects.first(),
        }  # fmt: skip

    return add


@pytest.mark.parametrize("route", READS)
def test_the_same_for_one_and_for_fifty(api, admin, fill, route):
    client, counts, lengths = api(admin), [], []
    ids = fill()
    resource = route.split("/{")[0].rpartition("/")[2]
    keys = {"pk": ids.get(resource, admin).pk, "lead_id": ids["leads"].pk}
    for more in (0, 49):
        for _ in range(more):
            fill()
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(BASE + route.format(**keys))
        assert answer.status_code == 200, answer.content
        counts.append(len(captured))
        lengths.append(rows(answer.json()))
    assert counts[0] == counts[1]
    if lengths[0] is not None and route not in FROM_CODE:
        assert lengths[1] >= 20 > lengths[0], "the rows are there"


def rows(body):
    """How many the answer lists; None where it is one object."""
    if isinstance(body, list):
        return len(body)
    names = ("results", "history", "transfers", "rules", "rows", "duplicates")
    lists = [body[name] for name in names if name in body]
    return len(lists[0]) if lists else None
