"""Erasing a person from the notifications about them, and from the emails that are kept as files."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from athena.db.bulk import update_each
from athena.db.text_search import ERASED, Mentions, map_text
from notifications.channels import eml
from notifications.channels.email import build_message_id
from notifications.models import Notification

COLUMNS = ("context",)
TEXT = {"kind", "dedupe_key", *COLUMNS}  # the text columns of Notification; the first two hold names and ids only


def find_about(lead_ids: Collection[int], mentions: Mentions) -> list[Notification]:
    """Return the notifications about these leads, and those that mention the person."""
    is_about_leads = Q(context__lead_id__in=list(lead_ids))
    mentioning = mentions.find_rows(Notification, COLUMNS).values("pk")
    return list(Notification.objects.filter(is_about_leads | Q(pk__in=mentioning)).order_by("pk"))


def erase(lead_ids: Collection[int], mentions: Mentions, address: Mentions) -> int:
    """Erase a person from all notifications. Returns how many notifications there were.

    Notifications about `lead_ids` keep only ids and numbers. Others lose what mentions the person, and all of a text
    that contains their `address`. Emails in files that mention the person are deleted after the transaction's commit.
    """
    rows = find_about(lead_ids, mentions)
    contexts: dict[int, list[Any]] = {row.pk: [_erase_from(row, lead_ids, mentions, address)] for row in rows}
    if contexts:
        update_each(Notification, COLUMNS, contexts)
    transaction.on_commit(partial(eml.delete_files, mentions, {build_message_id(row) for row in rows}))
    return len(rows)


def _erase_from(row: Notification, lead_ids: Collection[int], mentions: Mentions, address: Mentions) -> Any:
    if row.context.get("lead_id") in lead_ids:
        return {name: map_text(value, lambda _: ERASED) for name, value in row.context.items()}
    return map_text(row.context, lambda text: ERASED if address.are_in(text) else str(mentions.erase_from(text)))
