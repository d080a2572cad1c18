"""Notifies managers once about open leads that have been unassigned for hours, all leads of a tick in one email."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from notifications import outbox
from notifications.kinds import UNLISTED
from sales import policy
from sales.models import Lead, LeadTransfer

MAX_WAIT = timedelta(days=7)  # leads that have waited longer are left out: old leads must not flood anybody
MAX_LISTED_LEADS = 20  # leads that a notification names; the others are counted
BATCH_SIZE = 5_000


@transaction.atomic
def escalate_unassigned_leads() -> int:
    """Notify managers about open leads that had no owner and no contact for `ESCALATE_UNOWNED_HOURS` hours.

    Leads that were escalated as hot are left out. Returns the number of leads.
    """
    hours = settings.ESCALATE_UNOWNED_HOURS
    if not hours:
        return 0
    now = timezone.now()
    latest = now - timedelta(hours=hours)
    unassigned = LeadTransfer.objects.filter(lead=OuterRef("pk"), to_user=None).order_by("-transferred_at", "-pk")
    leads = list(
        Lead.objects.open()
        .filter(assigned_to=None, first_contacted_at=None, hot_escalated_at=None)
        .alias(since=Coalesce(Subquery(unassigned.values("transferred_at")[:1]), F("created_at")))
        .filter(Q(unowned_escalated_at=None) | Q(unowned_escalated_at__lt=F("since")))
        .filter(since__gte=latest - MAX_WAIT, since__lte=latest)
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")[:BATCH_SIZE]
    )
    if not leads:
        return 0
    context = {
        "count": len(leads),
        "hours": hours,
        "leads": [{"id": lead.pk, "name": str(lead)} for lead in leads[:MAX_LISTED_LEADS]],
        UNLISTED: [lead.pk for lead in leads[MAX_LISTED_LEADS:]],
    }
    outbox.add_many(
        outbox.NewNotification(
            "escalation_unowned", user.pk, f"unowned_for_hours:{leads[0].pk}:{now:%Y%m%d%H%M%S%f}:{user.pk}", context
        )
        for user in policy.find_fallback_recipients()
    )
    return Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(unowned_escalated_at=now)
