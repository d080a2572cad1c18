"""Messages about leads that are no longer true when they come to be sent."""

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

ANOTHER_OWNER, CONTACTED = "The lead has another owner.", "Somebody has contacted the lead."


def find_stale_new_leads(notifications: Collection[PendingNotification]) -> Reasons:
    return _judge(notifications, lambda told, lead: _not_owned(told, lead) or _closed(lead))


def find_stale_received_leads(notifications: Collection[PendingNotification]) -> Reasons:
    return _judge(notifications, _not_owned)


def find_stale_given_away_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """That they moved stays true, until they are back."""

    def reason(told: PendingNotification, lead: Lead) -> str:
        return "The lead is theirs again." if lead.assigned_to_id == told.recipient.pk else ""

    return _judge(notifications, reason)


def find_stale_unreturned_leads(notifications: Collection[PendingNotification]) -> Reasons:
    return _judge(notifications, lambda told, lead: "", by_managers=True)


def find_stale_inquiries(notifications: Collection[PendingNotification]) -> Reasons:
    """What they wrote is the owner's to know; a manager's, while there is none."""

    return _judge(notifications, _not_responsible)


def find_stale_arrivals(notifications: Collection[PendingNotification]) -> Reasons:
    """As `inquired`, line by line."""
    return _judge(notifications, _not_responsible, listed=("lines", "lead_id"))


def find_stale_unassigned_escalations(notifications: Collection[PendingNotification]) -> Reasons:
    def reason(told: PendingNotification, lead: Lead) -> str:
        return CONTACTED if lead.first_contacted_at is not None else _closed_or_owned(lead)

    return _judge(notifications, reason, by_managers=True)


def find_stale_unassigned_leads(notifications: Collection[PendingNotification]) -> Reasons:
    return _judge(notifications, lambda told, lead: _closed_or_owned(lead), by_managers=True)


def find_stale_hot_leads(notifications: Collection[PendingNotification]) -> Reasons:
    """Nobody has contacted it, and it is with whom the message says."""

    def reason(told: PendingNotification, lead: Lead) -> str:
        if lead.first_contacted_at is not None:
            return CONTACTED
        if lead.score < settings.HOT_SCORE:
            return "The lead is no longer hot."
        owner = str(lead.assigned_to) if lead.assigned_to else ""
        return _closed(lead) or ("" if told.context.get("assignee") == owner else ANOTHER_OWNER)

    return _judge(notifications, reason, by_managers=True)


def _judge(
    notifications: Collection[PendingNotification],
    reason: Callable[[PendingNotification, Lead], str],
    *,
    by_managers: bool = False,
    listed: tuple[str, str] = ("leads", "id"),
) -> Reasons:
    keys = {told.pk: _lead_ids(told, *listed) for told in notifications}
    among = IdIn("pk", {key for each in keys.values() for key in each})
    leads = {lead.pk: lead for lead in Lead.objects.select_related("assigned_to").filter(among)}
    readers = find_leads_visible_to_managers(notifications, leads.keys()) if by_managers else None

    def why_not(told: PendingNotification, key: int) -> str:
        lead = leads.get(key)
        return "" if lead is None else explain_hidden(told, lead, readers) or reason(told, lead)

    return find_stale(notifications, keys, why_not, listed)


def _lead_ids(told: PendingNotification, name: str, key: str) -> list[int]:
    one = told.context.get("lead_id") if isinstance(told.context, dict) else None
    ids = [*(item.get(key) for item in get_listed_items(told, name)), *get_unlisted_keys(told)] or [one]
    return [lead_id for lead_id in ids if isinstance(lead_id, int)]


def _not_owned(told: PendingNotification, lead: Lead) -> str:
    return "" if lead.assigned_to_id == told.recipient.pk else ANOTHER_OWNER


def _not_responsible(told: PendingNotification, lead: Lead) -> str:
    """Why a lead that nobody owns is not this manager's to hear of, or one that somebody owns not this owner's."""
    return "" if lead.assigned_to_id is None and policy.is_manager(told.recipient) else _not_owned(told, lead)


def _closed_or_owned(lead: Lead) -> str:
    return _closed(lead) or ("" if lead.assigned_to_id is None else "The lead has an owner.")


def _closed(lead: Lead) -> str:
    return "" if lead.is_open else CLOSED
