"""What a lead's page shows below its form: follow-ups, cadences, the explanation of the score, the timeline."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from athena.accounts.models import User
from sales.admin.timeline import read_newest_entries
from sales.models import CadenceEnrolment, FollowUp, Lead
from sales.queries.timeline.timeline import TimelineEntry
from sales.scoring.compiler import CompiledRule
from sales.scoring.explanations import Explanation, explain_score

MAX_ROWS = 20  # of follow-ups and of cadences


@dataclass(frozen=True)
class LeadPanels:
    """The data of the panels (`admin/sales/lead/panels.html`)."""

    next: FollowUp | None
    follow_ups: "QuerySet[FollowUp]"
    cadences: "QuerySet[CadenceEnrolment]"
    repeated_by: Lead | None
    may_be_repeated: bool
    explanation: Explanation
    timeline: list[TimelineEntry]


def build_panels(lead: Lead, user: User) -> LeadPanels:
    """Read the panels of a lead for `user`, one query each."""
    follow_ups = FollowUp.objects.filter(lead=lead).select_related("assigned_to").with_overdue()
    enrolments = CadenceEnrolment.objects.filter(lead=lead).select_related("cadence")
    repeats = Lead.objects.filter(repeat_of=lead)
    return LeadPanels(
        next=follow_ups.open().order_by("due_at", "id").first(),
        follow_ups=follow_ups.order_by("completed", "-scheduled_date", "-id")[:MAX_ROWS],
        cadences=enrolments.order_by("-id")[:MAX_ROWS],
        repeated_by=repeats.visible_to(user).first(),
        may_be_repeated=_was_driven(lead) and not repeats.exists(),
        explanation=explain_score(CompiledRule.load_active(), lead.pk, timezone.now()),
        timeline=read_newest_entries(lead),
    )


def _was_driven(lead: Lead) -> bool:
    """Whether the lead is a won trip whose pickup has passed."""
    return lead.status == Lead.Status.WON and lead.pickup_at is not None and lead.pickup_at < timezone.now()
