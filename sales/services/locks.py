"""How services find and lock the rows that they change. Leads are locked before follow-ups, in key order."""

from collections.abc import Container, Iterable

from django.db.models import Subquery

from athena.accounts.models import User
from sales import errors
from sales.models import Activity, FollowUp, Lead, LeadScoringRule
from sales.models.leads.lead import LeadQuerySet


def require_version(row: Lead | FollowUp | LeadScoringRule, versions: Container[int] | None) -> None:
    """Check that a locked row has one of the `versions` that the caller has read; None allows any.

    Raises `StaleVersion`.
    """
    if versions is not None and row.version not in versions:
        raise errors.StaleVersion


def lock_leads(ids: Iterable[int]) -> list[Lead]:
    """Lock the leads with these ids in key order until the transaction ends, and return them."""
    return list(Lead.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))


def lock_visible_lead(by: User | None, lead_id: int) -> Lead:
    """Lock and return the lead, if `by` may see it. Raises `NotFound`."""
    lead = _visible_leads(by).select_for_update(of=("self",)).filter(pk=lead_id).first()
    if lead is None:
        raise errors.NotFound("There is no such lead.")
    return lead


def _visible_leads(by: User | None) -> LeadQuerySet:
    return Lead.objects.filter(archived_at__isnull=True) if by is None else Lead.objects.visible_to(by)


def lock_visible_follow_up(by: User | None, follow_up_id: int) -> tuple[FollowUp, Lead]:
    """Lock and return the follow-up, with its assignee, and its lead, which is locked first, if `by` may see them.

    Raises `NotFound`.
    """
    missing = errors.NotFound("There is no such follow-up.")
    lead = _visible_leads(by).filter(pk=Subquery(FollowUp.objects.filter(pk=follow_up_id).order_by().values("lead")))
    locked_lead = lead.select_for_update(of=("self",)).first()
    if locked_lead is None:
        raise missing
    follow_ups = FollowUp.objects.select_for_update(of=("self",)).select_related("assigned_to")
    follow_up = follow_ups.filter(pk=follow_up_id, lead=locked_lead).first()
    if follow_up is None:
        raise missing
    follow_up.lead = locked_lead
    return follow_up, locked_lead


def lock_visible_activity(by: User | None, activity_id: int) -> tuple[Activity, Lead]:
    """Lock and return the activity and its lead, which is locked first, if `by` may see them. Raises `NotFound`."""
    missing = errors.NotFound("There is no such activity.")
    lead_id = Activity.objects.filter(pk=activity_id).values_list("lead_id", flat=True).first()
    if lead_id is None:
        raise missing
    try:
        lead = lock_visible_lead(by, lead_id)
    except errors.NotFound:
        raise missing from None
    activity = Activity.objects.select_for_update(of=("self",)).filter(pk=activity_id, lead=lead).first()
    if activity is None:
        raise missing
    return activity, lead
