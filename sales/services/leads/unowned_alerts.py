"""Leads that nobody takes: told to the managers once, all of a minute in one message."""

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

MAX_WAIT = timedelta(days=7)  # what has waited for longer is left to the lists, so that old leads are no flood
MAX_LISTED_LEADS = 20  # leads that a message names; the others are counted
BATCH_SIZE = 5_000


@transaction.atomic
def escalate_unassigned_leads() -> int:
    """Tell managers of open leads that for `ESCALATE_UNOWNED_HOURS` hours nobody has owned or contacted.

    Hot ones that were told of as such are left out. Returns of how many it told.
    """
    hours = settings.ESCALATE_UNOWNED_HOURS
    if not hours:
        return 0
    now = timezone.now()
    until = now - timedelta(hours=hours)
    given_up = LeadTransfer.objects.filter(lead=OuterRef("pk"), to_user=None).order_by("-transferred_at", "-pk")
    leads = list(
        Lead.objects.open()
        .filter(assigned_to=None, first_contacted_at=None, hot_escalated_at=None)
        .alias(since=Coalesce(Subquery(given_up.values("transferred_at")[:1]), F("created_at")))
        .filter(Q(unowned_escalated_at=None) | Q(unowned_escalated_at__lt=F("since")))
        .filter(since__gte=until - MAX_WAIT, since__lte=until)
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
