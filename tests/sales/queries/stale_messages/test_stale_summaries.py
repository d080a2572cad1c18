"""Mail that waited and tells of more than it lists: what it only counts is judged, too."""

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

MANY = 60  # more than any message lists


class World:
    """Sixty leads of Maria's with a call on each. A method tells of all of them in one message."""

    def __init__(self, make_lead, rep, colleague, manager, clock):
        self.maria, self.tom, self.manager, self.clock = rep, colleague, manager, clock
        self.leads = [make_lead(assigned_to=rep, company_name=f"Band {number}") for number in range(MANY)]
        Lead.objects.update(created_at=timezone.now())
        self.all = Lead.objects.order_by("pk")
        for lead in self.leads:
            follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=timezone.now().date())

    def overdue(self):
        self.clock.shift(timedelta(days=1))
        overdue.send_overdue_notices()

    def escalated(self):
        self.clock.shift(timedelta(days=5))
        overdue.escalate_to_managers()

    def received(self):
        Lead.objects.update(assigned_to=None)
        transfers.transfer(by=self.manager, leads=self.all, to_user_id=self.maria.pk)

    def given_away(self):
        transfers.transfer(by=self.manager, leads=self.all, to_user_id=self.tom.pk)

    def not_returned(self):
        today = timezone.now().date()
        transfers.transfer(by=self.manager, leads=self.all, to_user_id=self.tom.pk, until=today)
        self.maria.is_active = False
        self.maria.save()
        self.clock.shift(timedelta(days=2))
        transfer_undo.return_due_batches()

    def unowned(self):
        Lead.objects.update(assigned_to=None)
        self.clock.shift(timedelta(hours=5))
        unowned_alerts.escalate_unassigned_leads()

    def gathered(self):
        inquiries = [Arrival("inquiry_received", lead, f"inquiry:{lead.pk}") for lead in self.leads]
        arrival_alerts.notify_arrivals(inquiries, by=None)
        self.clock.shift(timedelta(minutes=2))

    def make_untrue(self, leads):
        """Of these leads: done, given to somebody else, or put away."""
        now = timezone.now()
        calls = FollowUp.objects.filter(lead__in=leads)
        calls.update(cancelled_at=now)
        Lead.objects.filter(pk__in=leads).update(archived_at=now, version=F("version") + 1)


TOLD = {
    "overdue": "follow_up_overdue", "escalated": "escalation_overdue", "received": "leads_received",
    "given_away": "leads_transferred", "not_returned": "leads_not_returned", "unowned": "escalation_unowned",
    "gathered": "arrivals",
}  # fmt: skip


@pytest.mark.parametrize("left", [0, 1, 3, MANY])
@pytest.mark.parametrize("message", TOLD)
def test_a_long_list_counts_what_is_still_true(make_lead, rep, colleague, manager, message, left):
    with time_machine.travel("2026-11-24T09:00Z", tick=False) as clock:
        world = World(make_lead, rep, colleague, manager, clock)
        Notification.objects.all().delete()
        getattr(world, message)()
        Notification.objects.exclude(kind=TOLD[message]).delete()
        told = Notification.objects.get()
        assert told.context["count"] == MANY
        world.make_untrue([lead.pk for lead in world.leads[: MANY - left]])
        clock.shift(timedelta(minutes=1))
        delivery.deliver()
    row = Delivery.objects.get(channel="email")
    assert (row.state, len(mail.outbox)) == (("sent", 1) if left else ("lapsed", 0))
    for each in mail.outbox:
        html = each.alternatives[0][0]
        assert f"{left} " in each.subject
        assert f"{left} " in html or message == "unowned"
        assert each.subject == each.subject.strip()
        shown = [lead for lead in world.leads if f"/lead/{lead.pk}/change/" in each.body]
        assert shown == [lead for lead in shown if lead in world.leads[MANY - left :]]


def test_the_api_says_nothing_of_the_keys(make_lead, rep, colleague, manager, api):
    with time_machine.travel("2026-11-24T09:00Z", tick=False) as clock:
        World(make_lead, rep, colleague, manager, clock).given_away()
    told = Notification.objects.get(kind="leads_transferred")
    assert len(told.context[kinds.UNLISTED]) == MANY - len(told.context["leads"])
    (row,) = api(rep).get("/api/v1/notifications?kind=leads_transferred").json()["results"]
    assert row["context"].keys() == told.context.keys() - {kinds.UNLISTED}
