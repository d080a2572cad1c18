"""The e-mail that somebody sends themself, on the way of all others, to see that it arrives."""

from django.db import transaction

from athena.accounts.models import User
from notifications import kinds, outbox
from notifications.channels.email import EmailChannel
from notifications.models import Delivery, DeliveryQuerySet, Notification

KIND = kinds.TEST_EMAIL.name


@transaction.atomic
def send_test_email(*, by: User) -> None:
    """One e-mail to oneself. It takes the place of the one before, whose fate is nobody's question any longer: as a row
    of its own it has a Message-ID of its own, and does not wait for that one's next attempt. Two at once are one.
    """
    Notification.objects.filter(dedupe_key=_key(by)).delete()
    outbox.add(kind=KIND, recipient_id=by.pk, dedupe_key=_key(by), context={})


def find_last_delivery(user: User) -> DeliveryQuerySet:
    """The delivery of the one that this person has sent last, or nothing."""
    return Delivery.objects.filter(channel=EmailChannel.name, notification__dedupe_key=_key(user)).order_by()


def find_sent_emails() -> DeliveryQuerySet:
    """Every e-mail that has left."""
    return Delivery.objects.filter(channel=EmailChannel.name, state=Delivery.State.SENT).order_by()


def _key(user: User) -> str:
    return f"{KIND}:{user.pk}"
