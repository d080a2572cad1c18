"""Which messages that wait to be sent are no longer true, and why: asked just before each is sent.

A message that lists several follow-ups or leads loses those of which it is no longer true. What can't be judged is
sent.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django.db.models import Value

from athena.accounts.models import local_today
from athena.db.bulk import IdIn
from notifications.kinds import UNLISTED, PendingNotification
from sales import policy
from sales.models import Lead

Reasons = dict[int, str]
Readers = Collection[tuple[int, int]]  # users and the leads that they may read
DAY_OVER = "Its day is over."
ARCHIVED, CLOSED = "The lead was archived.", "The lead was closed."
UNSEEN = "The recipient may no longer see the lead, or no longer answers for it."


def find_stale_digests(notifications: Collection[PendingNotification]) -> Reasons:
    """A digest is true until its day is over, also where its reader went west and it has not begun yet."""
    days = {told.pk: told.dedupe_key.split(":")[-1] for told in notifications if told.dedupe_key.count(":") == 2}
    return {
        told.pk: DAY_OVER
        for told in notifications
        if told.pk in days and days[told.pk] < local_today(told.recipient).isoformat()
    }


def find_stale(
    notifications: Collection[PendingNotification],
    keys: Mapping[int, Iterable[int]],
    why_not: Callable[[PendingNotification, int], str],
    listed: tuple[str, str],
) -> Reasons:
    """The reasons of those that are true of none of their `keys`; the others lose what they are not true of.

    `why_not` says it of one key, in words or not at all. `listed` names the list of a context, and its items' key;
    what is counted and not listed is judged like it.
    """
    reasons = {}
    for told in notifications:
        wrong = {key: reason for key in keys[told.pk] if (reason := why_not(told, key))}
        if wrong and _take_out(told, wrong, *listed) <= 0:
            reasons[told.pk] = next(iter(wrong.values()))
    return reasons


def get_listed_items(told: PendingNotification, name: str) -> list[dict[str, Any]]:
    """What a message lists by this name: nothing where it tells of one thing, or is not as we wrote it."""
    found = told.context.get(name) if isinstance(told.context, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def get_unlisted_keys(told: PendingNotification) -> list[Any]:
    """The keys of what a message counts and does not list."""
    found = told.context.get(UNLISTED) if isinstance(told.context, dict) else None
    return found if isinstance(found, list) else []


def find_leads_visible_to_managers(
    notifications: Collection[PendingNotification], lead_ids: Collection[int]
) -> Readers:
    """The recipients who are managers (or more), with those of the leads that they may read. One query."""
    managers = {told.recipient for told in notifications if policy.is_manager(told.recipient)}
    arms = [
        Lead.objects.visible_to(user).filter(IdIn("pk", lead_ids)).order_by().values_list(Value(user.pk), "pk")
        for user in sorted(managers, key=lambda user: user.pk)
    ]
    return set(arms[0].union(*arms[1:], all=True)) if arms else set()


def explain_hidden(told: PendingNotification, lead: Lead, readers: Readers | None) -> str:
    """Why the lead is nobody's, or not the recipient's, to hear of; `readers` where that is for managers alone."""
    if lead.archived_at is not None:
        return ARCHIVED
    return UNSEEN if readers is not None and (told.recipient.pk, lead.pk) not in readers else ""


def _take_out(told: PendingNotification, wrong: Collection[int], name: str, key: str) -> int:
    """Take these out of what its context lists or counts. How many are left."""
    listed, counted = get_listed_items(told, name), get_unlisted_keys(told)
    if not listed:
        return 0
    left = [item for item in listed if item.get(key) not in wrong]
    still = [each for each in counted if _key(each) not in wrong]
    hidden = len(counted) - len(still)
    gone = sum(int(item.get("count", 1)) for item in listed if item not in left) + hidden
    count = int(told.context["count"]) - gone
    told.context = {**told.context, name: left, UNLISTED: still, "count": count}
    if told.context.get("more"):
        told.context["more"] -= hidden
    return count


def _key(unlisted: Any) -> Any:
    """The key alone: of a follow-up, the number of its plan stands beside it."""
    return unlisted[0] if isinstance(unlisted, list) and unlisted else unlisted
