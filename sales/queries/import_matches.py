"""Which rows of an import are there already: as an open lead, or on an earlier line of the same file."""

from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from athena.accounts.models import User
from sales.models import ImportRow, Lead, LeadImport

KEYS = ("email_normalised", "phone_normalised")
DUPLICATE = Q(same_as__isnull=False) | Q(same_line__isnull=False)


def find(by: User, lead_import: LeadImport) -> int:
    """Mark each row that is ready with the lead, or the line, whose e-mail or else phone it has. Returns how many.

    Only open leads that `by` can see count: what asks again after its sale was closed is a new inquiry.
    """
    rows = ImportRow.objects.filter(lead_import=lead_import, state=ImportRow.State.READY)
    rows.update(same_as=None, same_line=None)
    seen = Lead.objects.visible_to(by).open()
    _mark(rows, "same_as", seen.order_by("pk"), "pk")
    earlier = rows.filter(line__lt=OuterRef("line")).order_by("line")
    # An earlier line of the same e-mail and one of the same phone may differ: the first of the two is meant.
    for key in KEYS:
        found = Subquery(_same(earlier, key).values("line")[:1])
        rows.exclude(**{key: ""}).update(same_line=Coalesce(Least("same_line", found), found, F("same_line")))
    return rows.filter(DUPLICATE).count()


def _mark(rows: "QuerySet[ImportRow]", column: str, among: "QuerySet[Any]", value: str) -> None:
    for key in KEYS:
        found = Subquery(_same(among, key).values(value)[:1])
        rows.filter(**{f"{column}__isnull": True}).exclude(**{key: ""}).update(**{column: found})


def _same(among: "QuerySet[Any]", key: str) -> "QuerySet[Any]":
    return among.filter(**{key: OuterRef(key)}).exclude(**{key: ""})
