"""Template tags and filters about notifications: the bell's badge, labels of channels, links to write an email."""

from contextlib import suppress
from urllib.parse import quote

from django import template

from athena import host_names
from athena.accounts.models import User
from notifications.channels import get_label
from notifications.models import Notification

register = template.Library()

MAX_BADGE_COUNT = 99
register.filter("channel_label", get_label)


@register.filter
def mailto(address: str) -> str:
    """Return a `mailto:` link to this address, with its host in ASCII."""
    with suppress(ValueError):
        address = host_names.ascii_address(address)
    return f"mailto:{quote(address, safe='@+')}"


@register.simple_tag
def unread_count(user: User) -> str:
    """Return the number of the user's unread notifications as the badge shows it: "99+" at most, nothing for zero."""
    count = Notification.objects.shown_to(user).unread().order_by()[: MAX_BADGE_COUNT + 1].count()
    return f"{MAX_BADGE_COUNT}+" if count > MAX_BADGE_COUNT else str(count or "")
