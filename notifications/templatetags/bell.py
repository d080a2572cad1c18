"""The bell on each page of the admin."""

from django import template

from athena.accounts.models import User
from notifications.models import Notification

register = template.Library()

MOST = 99


@register.simple_tag
def unread_count(user: User) -> str:
    """How many notifications this user has not read, as a badge says it: at most `99+`, nothing for none."""
    count = Notification.objects.shown_to(user).unread().order_by()[: MOST + 1].count()
    return f"{MOST}+" if count > MOST else str(count or "")
