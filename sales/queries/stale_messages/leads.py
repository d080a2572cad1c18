"""Messages about leads that are no longer true when they come to be sent."""

from collections.abc import Callable, Collection

from django.conf import settings

from athena.db.bulk import AmongKeys
from notifications.kinds import Told
from sales import policy
from sales.models import Lead
from sales.queries.stale_messages.stale_messages import CLOSED, Reasons, items, judge, managers_of, unlisted, unseen

ANOTHER_OWNER, CONTACTED = "The lead has another owner.", "Somebody has contacted the lead."


def assigned(notifications: Collection[Told]) -> Reasons:
    return _judge(notifications, lambda told, lead: _not_owned(told, lead) or _closed(lead))


def received(notifications: Collection[Told]) -> Reasons:
    return _judge(notifications, _not_owned)


def given_away(notifications: Collection[Told]) -> Reasons:
    """That they moved stays true, until they are back."""

    def reason(told: Told, lead: Lead) -> str:
        return "The lead is theirs again." if lead.assigned_to_id == told.recipient.pk else ""

    return _judge(notifications, reason)


def not_returned(notifications: Collection[Told]) -> Reasons:
    return _judge(notifications, lambda told, lead: "", by_managers=True)


def inquired(notifications: Collection[Told]) -> Reasons:
    """What they wrote is the owner's to know; a manager's, while there is none."""

    return _judge(notifications, _not_responsible)


def gathered(notifications: Collection[Told]) -> Reasons:
    """As `inquired`, line by line."""
    return _judge(notifications, _not_responsible, listed=("lines", "lead_id"))


def waiting_for_an_owner(notifications: Collection[Told]) -> Reasons:
    def reason(told: Told, lead: Lead) -> str:
        return CONTACTED if lead.first_contacted_at is not None else _closed_or_owned(lead)

    return _judge(notifications, reason, by_managers=True)


def unowned(notifications: Collection[Told]) -> Reasons:
    return _judge(notifications, lambda told, lead: _closed_or_owned(lead), by_managers=True)


def hot(notifications: Collection[Told]) -> Reasons:
    """Nobody has contacted it, and it is with whom the message says."""

    def reason(told: Told, lead: Lead) -> str:
        if lead.first_contacted_at is not None:
            return CONTACTED
        if lead.score < settings.HOT_SCORE:
            return "The lead is no longer hot."
        owner = str(lead.assigned_to) if lead.assigned_to else ""
        return _closed(lead) or ("" if told.context.get("assignee") == owner else ANOTHER_OWNER)

    return _judge(notifications, reason, by_managers=True)


def _judge(
    notifications: Collection[Told],
    reason: Callable[[Told, Lead], str],
    *,
    by_managers: bool = False,
    listed: tuple[str, str] = ("leads", "id"),
) -> Reasons:
    keys = {told.pk: _lead_ids(told, *listed) for told in notifications}
    among = AmongKeys("pk", {key for each in keys.values() for key in each})
    leads = {lead.pk: lead for lead in Lead.objects.select_related("assigned_to").filter(among)}
    readers = managers_of(notifications, leads.keys()) if by_managers else None

    def why_not(told: Told, key: int) -> str:
        lead = leads.get(key)
        return "" if lead is None else unseen(told, lead, readers) or reason(told, lead)

    return judge(notifications, keys, why_not, listed)


def _lead_ids(told: Told, name: str, key: str) -> list[int]:
    one = told.context.get("lead_id") if isinstance(told.context, dict) else None
    ids = [*(item.get(key) for item in items(told, name)), *unlisted(told)] or [one]
    return [lead_id for lead_id in ids if isinstance(lead_id, int)]


def _not_owned(told: Told, lead: Lead) -> str:
    return "" if lead.assigned_to_id == told.recipient.pk else ANOTHER_OWNER


def _not_responsible(told: Told, lead: Lead) -> str:
    """Why a lead that nobody owns is not this manager's to hear of, or one that somebody owns not this owner's."""
    return "" if lead.assigned_to_id is None and policy.is_manager(told.recipient) else _not_owned(told, lead)


def _closed_or_owned(lead: Lead) -> str:
    return _closed(lead) or ("" if lead.assigned_to_id is None else "The lead has an owner.")


def _closed(lead: Lead) -> str:
    return "" if lead.is_open else CLOSED
