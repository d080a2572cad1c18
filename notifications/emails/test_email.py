"""The test email: users send it to themselves, in the same way as all other emails, to check that emails arrive."""

from django.db import transaction

from athena.accounts.models import User
from notifications import kinds, outbox
from notifications.models import Delivery, DeliveryQuerySet, Notification

KIND = kinds.TEST_EMAIL.name


@transaction.atomic
def send_test_email(*, by: User) -> None:
    """Send a test email to the user.

    It replaces the user's previous one: as a new row it has a Message-ID of its own and does not wait for the next
    attempt of the previous one. Two requests at the same time send one email.
    """
    Notification.objects.filter(dedupe_key=_build_key(by)).delete()
    outbox.add(kind=KIND, recipient_id=by.pk, dedupe_key=_build_key(by), context={})


def find_last_delivery(user: User) -> DeliveryQuerySet:
    """Return the delivery of the last test email that this user has sent; at most one row."""
    return Delivery.objects.filter(channel=kinds.EMAIL, notification__dedupe_key=_build_key(user)).order_by()


def find_sent_emails() -> DeliveryQuerySet:
    """Return the deliveries of all emails that have been sent."""
    return Delivery.objects.filter(channel=kinds.EMAIL, state=Delivery.State.SENT).order_by()


def _build_key(user: User) -> str:
    return f"{KIND}:{user.pk}"
