"""Logging what happened, and what follows from it for the lead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sales import errors
from sales.models import Activity
from sales.services import activities


def test_an_inbound_answer_is_logged_and_rescored(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    activity = activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="inbound", notes="Yes please")
    lead.refresh_from_db()
    assert (lead.score, lead.last_activity_at, lead.first_contacted_at) == (10, activity.occurred_at, None)
    history = lead.score_history.get()
    assert (history.activity, history.user, history.new_score) == (activity, rep, 10)


def test_the_first_contact_is_the_earliest_outbound_one(rep, make_lead):
    lead, now = make_lead(assigned_to=rep), timezone.now()
    for hours in (2, 5, 1):
        activities.log(
            by=rep,
            lead_id=lead.pk,
            activity_type="call",
            direction="outbound",
            occurred_at=now - timedelta(hours=hours),
        )
    activities.log(by=rep, lead_id=lead.pk, activity_type="note", occurred_at=now - timedelta(hours=9))
    lead.refresh_from_db()
    assert (lead.first_contacted_at, lead.last_activity_at) == (now - timedelta(hours=5), now - timedelta(hours=1))


@pytest.mark.parametrize("kind", ["transfer", "status_change"])
def test_the_systems_own_types_cannot_be_logged(rep, make_lead, kind):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.Invalid):
        activities.log(by=rep, lead_id=lead.pk, activity_type=kind)
    assert Activity.objects.count() == 0


def test_nothing_can_have_happened_tomorrow(rep, make_lead):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.Invalid) as refused:
        activities.log(by=rep, lead_id=lead.pk, activity_type="call", occurred_at=timezone.now() + timedelta(days=1))
    assert list(refused.value.fields) == ["occurred_at"]


def test_who_may_log(rep, colleague, stranger, manager, make_lead):
    lead = make_lead(assigned_to=rep)
    with pytest.raises(errors.NotYourLead):
        activities.log(by=colleague, lead_id=lead.pk, activity_type="note")
    with pytest.raises(errors.NotFound):
        activities.log(by=stranger, lead_id=lead.pk, activity_type="note")
    assert activities.log(by=manager, lead_id=lead.pk, activity_type="note").user == manager
