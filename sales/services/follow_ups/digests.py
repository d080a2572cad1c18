"""Sending the daily digest: one a day for each person, from the hour that they chose on their own clock."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athena import time_zones
from athena.accounts.models import User
from athena.formatting import format_date
from notifications import outbox
from sales.queries.follow_ups.digest import build_digests

MAX_DIGESTS_PER_BATCH = 100


def send() -> int:
    """Write the digests whose hour has come. Returns how many were written; an empty digest is not.

    `User.digested_on` is the latest date that is done for a person, with or without a digest. It only goes forward, so
    neither setting the clock back nor moving to a western zone brings a second digest. A digest whose hour was missed
    is written later on the same day.
    """
    count = 0
    while (batch_count := _send_batch()) is not None:
        count += batch_count
    return count


@transaction.atomic
def _send_batch() -> int | None:
    """Write some people's digests. Returns how many, or None if nobody is left."""
    rows = User.objects.filter(_hour_has_come(), is_active=True).select_for_update(of=("self",), skip_locked=True)
    now = timezone.now()
    people = {user: now.astimezone(user.zone).date() for user in rows.order_by("pk")[:MAX_DIGESTS_PER_BATCH]}
    if not people:
        return None
    digests = build_digests(people)
    count = outbox.add_many(
        outbox.NewNotification(
            kind="daily_digest",
            recipient_id=user.pk,
            dedupe_key=f"digest:{user.pk}:{day}",
            context={"day": format_date(day), "sections": digests[user.pk]},
        )
        for user, day in people.items()
        if user.pk in digests
    )
    for day in set(people.values()):
        user_ids = [user.pk for user, today in people.items() if today == day]
        User.objects.filter(pk__in=user_ids).update(digested_on=day)
    return count


def _hour_has_come() -> Q:
    """Whether a user's digest hour has come on a date that is not done yet. One small query for the time zones."""
    now, condition = timezone.now(), Q(pk__in=())
    for zone in User.objects.filter(is_active=True).order_by().values_list("time_zone", flat=True).distinct():
        local = now.astimezone(time_zones.find_zone(zone))
        is_waiting = Q(digested_on__isnull=True) | Q(digested_on__lt=local.date())
        condition |= Q(time_zone=zone, digest_hour__lte=local.hour) & is_waiting
    return condition
