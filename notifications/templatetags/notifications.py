"""What pages of the admin show of notifications: the bell, and channels by their names for people."""

from contextlib import suppress
from urllib.parse import quote

from django import template

from athena import host_names
from athena.accounts.models import User
from notifications.channels import get_label
from notifications.models import Notification

register = template.Library()

MOST = 99
register.filter("channel_label", get_label)


@register.filter
def mailto(address: str) -> str:
    """A link to write to this address, whose host is in ASCII."""
    with suppress(ValueError):
        address = host_names.ascii_address(address)
    return f"mailto:{quote(address, safe='@+')}"


@register.simple_tag
def unread_count(user: User) -> str:
    """How many notifications this user has not read, as a badge says it: at most `99+`, nothing for none."""
    count = Notification.objects.shown_to(user).unread().order_by()[: MOST + 1].count()
    return f"{MOST}+" if count > MOST else str(count or "")
