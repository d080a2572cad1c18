"""Emails that had to wait and are about more leads than they list: the unlisted ones are checked as well."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db.models import F
from django.utils import timezone

from notifications import delivery, kinds
from notifications.models import Delivery, Notification
from sales.models import FollowUp, Lead
from sales.services.follow_ups import follow_ups, overdue
from sales.services.leads import arrival_alerts, unowned_alerts
from sales.services.leads.arrival_alerts import Arrival
from sales.services.ownership import transfer_undo, transfers

COUNT = 60  # more than any email lists


class Scenario:
    """Sixty leads of Maria's with a planned call each. Each method causes one notification about all of them."""

    def __init__(self, make_lead, rep, colleague, manager, clock):
        self.maria, self.tom, self.manager, self.clock = rep, colleague, manager, clock
        self.leads = [make_lead(assigned_to=rep, company_name=f"Band {number}") for number in range(COUNT)]
        Lead.objects.update(created_at=timezone.now())
        self.all = Lead.objects.order_by("pk")
        for lead in self.leads:
            follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=timezone.now().date())

    def overdue_notice(self):
        self.clock.shift(timedelta(days=1))
        overdue.send_overdue_notices()

    def escalation(self):
        self.clock.shift(timedelta(days=5))
        overdue.escalate_to_managers()

    def received_leads(self):
        Lead.objects.update(assigned_to=None)
        transfers.transfer(by=self.manager, leads=self.all, to_user_id=self.maria.pk)

    def given_away_leads(self):
        transfers.transfer(by=self.manager, leads=self.all, to_user_id=self.tom.pk)

    def unreturned_leads(self):
        today = timezone.now().date()
        transfers.transfer(by=self.manager, leads=self.all, to_user_id=self.tom.pk, until=today)
        self.maria.is_active = False
        self.maria.save()
        self.clock.shift(timedelta(days=2))
        transfer_undo.return_due_batches()

    def unassigned_escalation(self):
        Lead.objects.update(assigned_to=None)
        self.clock.shift(timedelta(hours=5))
        unowned_alerts.escalate_unassigned_leads()

    def summary(self):
        inquiries = [Arrival("inquiry_received", lead, f"inquiry:{lead.pk}") for lead in self.leads]
        arrival_alerts.notify_arrivals(inquiries, by=None)
        self.clock.shift(timedelta(minutes=2))

    def make_stale(self, leads):
        """Cancel the calls of these leads and archive the leads."""
        now = timezone.now()
        calls = FollowUp.objects.filter(lead__in=leads)
        calls.update(cancelled_at=now)
        Lead.objects.filter(pk__in=leads).update(archived_at=now, version=F("version") + 1)


KINDS = {
    "overdue_notice": "follow_up_overdue",
    "escalation": "escalation_overdue",
    "received_leads": "leads_received",
    "given_away_leads": "leads_transferred",
    "unreturned_leads": "leads_not_returned",
    "unassigned_escalation": "escalation_unowned",
    "summary": "arrivals",
}


@pytest.mark.parametrize("left", [0, 1, 3, COUNT])
@pytest.mark.parametrize("cause", KINDS)
def test_an_email_counts_only_what_is_still_true(make_lead, rep, colleague, manager, cause, left):
    with time_machine.travel("2026-11-24T09:00Z", tick=False) as clock:
        scenario = Scenario(make_lead, rep, colleague, manager, clock)
        Notification.objects.all().delete()
        getattr(scenario, cause)()
        Notification.objects.exclude(kind=KINDS[cause]).delete()
        assert Notification.objects.get().context["count"] == COUNT
        still_true = scenario.leads[COUNT - left :]
        scenario.make_stale([lead.pk for lead in scenario.leads[: COUNT - left]])
        clock.shift(timedelta(minutes=1))
        delivery.deliver()
    row = Delivery.objects.get(channel="email")
    if left == 0:
        assert row.state == "lapsed"
        assert mail.outbox == []
        return
    assert row.state == "sent"
    (message,) = mail.outbox
    assert f"{left} " in message.subject
    assert message.subject == message.subject.strip()
    assert f"{left} " in message.alternatives[0].content
    listed = [lead for lead in scenario.leads if f"/lead/{lead.pk}/change/" in message.body]
    assert [lead for lead in listed if lead not in still_true] == []


def test_the_api_leaves_out_the_unlisted_keys(make_lead, rep, colleague, manager, api):
    with time_machine.travel("2026-11-24T09:00Z", tick=False) as clock:
        Scenario(make_lead, rep, colleague, manager, clock).given_away_leads()
    notification = Notification.objects.get(kind="leads_transferred")
    assert len(notification.context[kinds.UNLISTED]) == COUNT - len(notification.context["leads"])
    (row,) = api(rep).get("/api/v1/notifications?kind=leads_transferred").json()["results"]
    assert row["context"].keys() == notification.context.keys() - {kinds.UNLISTED}
