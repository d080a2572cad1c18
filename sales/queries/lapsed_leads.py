"""Messages about leads that are no longer true when they come to be sent."""

from collections.abc import Callable, Collection

from django.conf import settings

from notifications.kinds import Told
from sales import policy
from sales.models import Lead
from sales.queries.lapses import CLOSED, Reasons, items, judge, managers_of, unseen

ANOTHER_OWNER = "The lead has another owner."


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

    def reason(told: Told, lead: Lead) -> str:
        return "" if lead.assigned_to_id is None and policy.is_manager(told.recipient) else _not_owned(told, lead)

    return _judge(notifications, reason)


def unowned(notifications: Collection[Told]) -> Reasons:
    def reason(told: Told, lead: Lead) -> str:
        return _closed(lead) or ("" if lead.assigned_to_id is None else "The lead has an owner.")

    return _judge(notifications, reason, by_managers=True)


def hot(notifications: Collection[Told]) -> Reasons:
    """Nobody has contacted it, and it is with whom the message says."""

    def reason(told: Told, lead: Lead) -> str:
        if lead.first_contacted_at is not None:
            return "Somebody has contacted the lead."
        if lead.score < settings.HOT_SCORE:
            return "The lead is no longer hot."
        owner = str(lead.assigned_to) if lead.assigned_to else ""
        return _closed(lead) or ("" if told.context.get("assignee") == owner else ANOTHER_OWNER)

    return _judge(notifications, reason, by_managers=True)


def _judge(
    notifications: Collection[Told], reason: Callable[[Told, Lead], str], *, by_managers: bool = False
) -> Reasons:
    keys = {told.pk: _lead_ids(told) for told in notifications}
    leads = Lead.objects.select_related("assigned_to").in_bulk({key for each in keys.values() for key in each})
    readers = managers_of(notifications, leads.keys()) if by_managers else None

    def why_not(told: Told, key: int) -> str:
        lead = leads.get(key)
        return "" if lead is None else unseen(told, lead, readers) or reason(told, lead)

    return judge(notifications, keys, why_not, ("leads", "id"))


def _lead_ids(told: Told) -> list[int]:
    one = told.context.get("lead_id") if isinstance(told.context, dict) else None
    ids = [item.get("id") for item in items(told, "leads")] or [one]
    return [key for key in ids if isinstance(key, int)]


def _not_owned(told: Told, lead: Lead) -> str:
    return "" if lead.assigned_to_id == told.recipient.pk else ANOTHER_OWNER


def _closed(lead: Lead) -> str:
    return "" if lead.is_open else CLOSED
