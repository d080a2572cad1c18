"""A lead that nobody takes is told to the managers after hours, once, whatever its score."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from notifications.models import Notification
from sales import tasks
from sales.models import Lead, LeadTransfer, TransferBatch
from sales.services.leads import unowned_alerts

SINCE = "2026-11-30T08:00Z"


def escalated(*times):
    counts = []
    for at in times:
        with time_machine.travel(at, tick=False):
            counts.append(unowned_alerts.escalate_unassigned_leads())
    return counts


@pytest.mark.parametrize("score", [0, 49, 50, 100])
def test_after_hours_and_once_whatever_the_score(manager, make_lead, score):
    make_lead(score=score, created_at=SINCE)
    assert escalated("2026-11-30T11:59Z", "2026-11-30T12:00Z", "2026-11-30T12:01Z", "2026-12-05T12:00Z") == [0, 1, 0, 0]
    told = Notification.objects.get()
    assert (told.kind, told.recipient, told.context["hours"]) == ("escalation_unowned", manager, 4)
    assert told.context["leads"] == [{"id": Lead.objects.get().pk, "name": "Lincoln High School Band"}]


def test_the_tick_does_it(manager, make_lead):
    make_lead(created_at=timezone.now() - timedelta(hours=5))
    tasks.escalate()
    assert Notification.objects.get().kind == "escalation_unowned"


def test_only_what_is_open_untaken_and_uncontacted_and_not_from_long_ago(manager, rep, make_lead):
    for fields in (
        {"assigned_to": rep}, {"first_contacted_at": SINCE}, {"archived_at": SINCE}, {"hot_escalated_at": SINCE},
        {"status": "lost", "lost_reason_id": "price"}, {"created_at": "2026-11-01T08:00Z"},
    ):  # fmt: skip
        make_lead(**{"created_at": SINCE, **fields})
    assert escalated("2026-11-30T15:00Z") == [0]


def test_one_that_is_given_up_waits_from_then_on(manager, rep, make_lead):
    lead = make_lead(created_at="2026-06-01T08:00Z", unowned_escalated_at="2026-06-01T12:00Z")
    LeadTransfer.objects.create(
        lead=lead, batch=TransferBatch.objects.create(by=manager), from_user=rep, transferred_by=manager,
        transferred_at=SINCE,
    )  # fmt: skip
    assert escalated("2026-11-30T11:59Z", "2026-11-30T12:00Z", "2026-11-30T12:01Z") == [0, 1, 0]


def test_a_thousand_are_one_message_in_few_statements(manager, django_assert_max_num_queries):
    Lead.objects.bulk_create(Lead(company_name=f"Band {number}", created_at=SINCE) for number in range(1_000))
    with django_assert_max_num_queries(10):
        assert escalated("2026-11-30T12:00Z") == [1_000]
    told = Notification.objects.get()
    assert (told.context["count"], len(told.context["leads"])) == (1_000, unowned_alerts.MAX_LISTED_LEADS)


def test_never_where_it_is_switched_off(settings, manager, make_lead):
    settings.ESCALATE_UNOWNED_HOURS = 0
    make_lead(created_at=SINCE)
    assert escalated("2026-11-30T15:00Z") == [0]
