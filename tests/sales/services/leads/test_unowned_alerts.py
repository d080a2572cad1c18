"""Managers are notified once about leads that have been unassigned for hours, whatever the leads' scores are."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from notifications.models import Notification
from sales import tasks
from sales.models import Lead, LeadTransfer, TransferBatch
from sales.services.leads import unowned_alerts

CREATED_AT = "2026-11-30T08:00Z"
BEFORE, DUE, AFTER, DAYS_LATER = "2026-11-30T11:59Z", "2026-11-30T12:00Z", "2026-11-30T12:01Z", "2026-12-05T12:00Z"


def escalate_at(*times):
    """Return the number of leads that are escalated at each of these times."""
    counts = []
    for at in times:
        with time_machine.travel(at, tick=False):
            counts.append(unowned_alerts.escalate_unassigned_leads())
    return counts


@pytest.mark.parametrize("score", [0, 49, 50, 100])
def test_a_lead_is_escalated_once_after_four_hours(manager, make_lead, score):
    lead = make_lead(score=score, created_at=CREATED_AT)
    assert escalate_at(BEFORE, DUE, AFTER, DAYS_LATER) == [0, 1, 0, 0]
    notification = Notification.objects.get()
    assert notification.kind == "escalation_unowned"
    assert notification.recipient == manager
    assert notification.context["hours"] == 4
    assert notification.context["leads"] == [{"id": lead.pk, "name": "Lincoln High School Band"}]


def test_the_tick_escalates(manager, make_lead):
    make_lead(created_at=timezone.now() - timedelta(hours=5))
    tasks.escalate()
    assert Notification.objects.get().kind == "escalation_unowned"


@pytest.mark.parametrize(
    "fields",
    [
        {"assigned_to": True},
        {"first_contacted_at": CREATED_AT},
        {"archived_at": CREATED_AT},
        {"hot_escalated_at": CREATED_AT},
        {"status": "lost", "lost_reason_id": "price"},
        {"created_at": "2026-11-01T08:00Z"},
    ],
    ids=["owned", "contacted", "archived", "escalated as hot", "closed", "old"],
)
def test_other_leads_are_not_escalated(manager, rep, make_lead, fields):
    if "assigned_to" in fields:
        fields = {"assigned_to": rep}
    make_lead(**{"created_at": CREATED_AT, **fields})
    assert escalate_at("2026-11-30T15:00Z") == [0]


def test_a_lead_whose_owner_was_removed_waits_from_then_on(manager, rep, make_lead):
    lead = make_lead(created_at="2026-06-01T08:00Z", unowned_escalated_at="2026-06-01T12:00Z")
    batch = TransferBatch.objects.create(by=manager)
    LeadTransfer.objects.create(
        lead=lead, batch=batch, from_user=rep, transferred_by=manager, transferred_at=CREATED_AT
    )
    assert escalate_at(BEFORE, DUE, AFTER) == [0, 1, 0]


def test_a_thousand_leads_are_one_notification_in_few_statements(manager, django_assert_max_num_queries):
    Lead.objects.bulk_create(Lead(company_name=f"Band {number}", created_at=CREATED_AT) for number in range(1_000))
    with django_assert_max_num_queries(10):
        assert escalate_at(DUE) == [1_000]
    notification = Notification.objects.get()
    assert notification.context["count"] == 1_000
    assert len(notification.context["leads"]) == unowned_alerts.MAX_LISTED_LEADS


def test_zero_hours_turn_the_escalation_off(settings, manager, make_lead):
    settings.ESCALATE_UNOWNED_HOURS = 0
    make_lead(created_at=CREATED_AT)
    assert escalate_at("2026-11-30T15:00Z") == [0]
