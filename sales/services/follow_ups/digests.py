"""The daily digest: one for each person and each day of their calendar, from the hour that they chose."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athena import time_zones
from athena.accounts.models import User
from athena.formatting import format_date
from notifications import outbox
from sales.queries.follow_ups.digest import build_digests

BATCH = 100


def send() -> int:
    """Write the digests whose hour has come. Returns how many had something to say.

    `digested_on` is the latest day that is settled for somebody, also where there was nothing to say. It only goes
    forward, so that neither a clock that is put back nor a move to the west brings a second one. A missed hour is made
    up for on the same day.
    """
    sent = 0
    while (batch := _batch()) is not None:
        sent += batch
    return sent


@transaction.atomic
def _batch() -> int | None:
    """How many digests were written; None when nobody was left."""
    rows = User.objects.filter(_hour_has_come(), is_active=True).select_for_update(of=("self",), skip_locked=True)
    now = timezone.now()
    people = {user: now.astimezone(user.zone).date() for user in rows.order_by("pk")[:BATCH]}
    if not people:
        return None
    found = build_digests(people)
    sent = outbox.add_many(
        outbox.NewNotification(
            kind="daily_digest",
            recipient_id=user.pk,
            dedupe_key=f"digest:{user.pk}:{day}",
            context={"day": format_date(day), "sections": found[user.pk]},
        )
        for user, day in people.items()
        if user.pk in found
    )
    for day in set(people.values()):
        User.objects.filter(pk__in=[user.pk for user, its in people.items() if its == day]).update(digested_on=day)
    return sent


def _hour_has_come() -> Q:
    """Whether it is a person's hour, or later, of a day that is not settled for them. One small query for the zones."""
    now, found = timezone.now(), Q(pk__in=())
    for zone in User.objects.filter(is_active=True).order_by().values_list("time_zone", flat=True).distinct():
        local = now.astimezone(time_zones.find_zone(zone))
        unsettled = Q(digested_on__isnull=True) | Q(digested_on__lt=local.date())
        found |= Q(time_zone=zone, digest_hour__lte=local.hour) & unsettled
    return found
