"""The list in Athena itself: the bell in the admin and `/notifications` in the API. It reads the notification's row."""

from notifications.channels import Channel
from notifications.kinds import IN_APP


class InAppChannel(Channel):
    name, label = IN_APP, "In Athena"
    sends = False
