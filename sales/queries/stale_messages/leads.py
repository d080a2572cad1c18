"""Staleness rules of the notifications about leads."""

from collections.abc import Callable, Collection

from django.conf import settings

from athena.db.bulk import IdIn
from notifications.kinds import PendingNotification
from sales import policy
from sales.models import Lead
from sales.queries.stale_messages.stale_messages import (
    CLOSED,
    Reasons,
    explain_hidden,
    find_leads_visible_to_managers,
    find_stale,
    get_listed_items,
    get_unlisted_keys,
)

OTHER_OWNER, CONTACTED = "The lead has another owner.", "Somebody has contacted the lead."


def find_stale_new_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """A new lead is news while it is open and the recipient's."""
    return _find_stale(notifications, lambda row, lead: _explain_other_owner(row, lead) or _explain_closed(row, lead))


def find_stale_received_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """Leads transferred to the recipient are news while they are the recipient's."""
    return _find_stale(notifications, _explain_other_owner)


def find_stale_given_away_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """Leads transferred from the recipient are news until they are the recipient's again."""
    return _find_stale(notifications, _explain_returned)


def find_stale_unreturned_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """Leads that could not be returned are news while the manager may see them."""
    return _find_stale(notifications, _explain_nothing, for_managers=True)


def find_stale_inquiries(notifications: Collection[PendingNotification]) -> Reasons:
    """An inquiry is for the lead's owner, or for a manager while the lead has none."""
    return _find_stale(notifications, _explain_not_responsible)


def find_stale_arrivals(notifications: Collection[PendingNotification]) -> Reasons:
    """Like `find_stale_inquiries`, for each line of the list."""
    return _find_stale(notifications, _explain_not_responsible, listed=("lines", "lead_id"))


def find_stale_unassigned_escalations(notifications: Collection[PendingNotification]) -> Reasons:
    """Leads are waiting while they are open, have no owner and nobody has contacted them."""
    return _find_stale(notifications, _explain_not_waiting, for_managers=True)


def find_stale_unassigned_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """A lead needs an owner while it is open and has none."""
    return _find_stale(notifications, _explain_closed_or_owned, for_managers=True)


def find_stale_hot_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """A hot lead waits while it is open and hot, has the owner that is named, and nobody has contacted it."""
    return _find_stale(notifications, _explain_not_hot, for_managers=True)


def _find_stale(
    notifications: Collection[PendingNotification],
    explain: Callable[[PendingNotification, Lead], str],
    *,
    for_managers: bool = False,
    listed: tuple[str, str] = ("leads", "id"),
) -> Reasons:
    keys = {row.pk: _get_lead_ids(row, *listed) for row in notifications}
    among = IdIn("pk", {key for lead_ids in keys.values() for key in lead_ids})
    leads = {lead.pk: lead for lead in Lead.objects.select_related("assigned_to").filter(among)}
    visible = find_leads_visible_to_managers(notifications, leads.keys()) if for_managers else None

    def explain_by_id(row: PendingNotification, lead_id: int) -> str:
        lead = leads.get(lead_id)
        return "" if lead is None else explain_hidden(row, lead, visible) or explain(row, lead)

    return find_stale(notifications, keys, explain_by_id, listed)


def _get_lead_ids(row: PendingNotification, name: str, key: str) -> list[int]:
    single = row.context.get("lead_id") if isinstance(row.context, dict) else None
    ids = [*(item.get(key) for item in get_listed_items(row, name)), *get_unlisted_keys(row)] or [single]
    return [lead_id for lead_id in ids if isinstance(lead_id, int)]


def _explain_nothing(row: PendingNotification, lead: Lead) -> str:
    return ""


def _explain_other_owner(row: PendingNotification, lead: Lead) -> str:
    return "" if lead.assigned_to_id == row.recipient.pk else OTHER_OWNER


def _explain_returned(row: PendingNotification, lead: Lead) -> str:
    return "The lead is the recipient's again." if lead.assigned_to_id == row.recipient.pk else ""


def _explain_not_responsible(row: PendingNotification, lead: Lead) -> str:
    """Managers are responsible for unassigned leads, owners for their own."""
    if lead.assigned_to_id is None and policy.is_manager(row.recipient):
        return ""
    return _explain_other_owner(row, lead)


def _explain_closed(row: PendingNotification, lead: Lead) -> str:
    return "" if lead.is_open else CLOSED


def _explain_closed_or_owned(row: PendingNotification, lead: Lead) -> str:
    return _explain_closed(row, lead) or ("" if lead.assigned_to_id is None else "The lead has an owner.")


def _explain_not_waiting(row: PendingNotification, lead: Lead) -> str:
    return CONTACTED if lead.first_contacted_at is not None else _explain_closed_or_owned(row, lead)


def _explain_not_hot(row: PendingNotification, lead: Lead) -> str:
    if lead.first_contacted_at is not None:
        return CONTACTED
    if lead.score < settings.HOT_SCORE:
        return "The lead is no longer hot."
    owner = str(lead.assigned_to) if lead.assigned_to else ""
    return _explain_closed(row, lead) or ("" if row.context.get("assignee") == owner else OTHER_OWNER)
