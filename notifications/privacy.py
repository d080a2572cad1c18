"""Taking a person out of what was told about them: the outbox, and mails that are kept as files."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from athena.db.bulk import update_each
from athena.db.text_search import ERASED, Mentions, map_text
from notifications.channels import eml
from notifications.channels.email import message_id
from notifications.models import Notification

COLUMNS = ("context",)
TEXT = {"kind", "dedupe_key", *COLUMNS}  # of Notification; the first two name kinds and keys of rows


def find_about(lead_ids: Collection[int], mentions: Mentions) -> list[Notification]:
    """What was told about these leads, or mentions the person."""
    theirs = Q(context__lead_id__in=list(lead_ids))
    named = mentions.find_rows(Notification, COLUMNS).values("pk")
    return list(Notification.objects.filter(theirs | Q(pk__in=named)).order_by("pk"))


def erase(lead_ids: Collection[int], mentions: Mentions, address: Mentions) -> int:
    """Leave keys and numbers of what was about these leads, and nothing of the person in what else names them: of a
    text with their `address` in it nothing at all.

    Mails in files that say anything of them are deleted when the transaction is committed. Returns how many rows.
    """
    rows = find_about(lead_ids, mentions)
    changed: dict[int, list[Any]] = {}
    for row in rows:
        if row.context.get("lead_id") in lead_ids:
            context = {name: map_text(value, lambda _: ERASED) for name, value in row.context.items()}
        else:
            context = map_text(
                row.context, lambda text: ERASED if address.are_in(text) else str(mentions.erase_from(text))
            )
        changed[row.pk] = [context]
    if changed:
        update_each(Notification, COLUMNS, changed)
    transaction.on_commit(partial(eml.delete_files, mentions, {message_id(row) for row in rows}))
    return len(rows)
