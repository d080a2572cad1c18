"""In Athena itself: the admin's bell, and `/notifications` of the API. The notification's own row is all it takes."""

from notifications.channels import Channel
from notifications.models import IN_APP


class InAppChannel(Channel):
    name, label = IN_APP, "In Athena"
    pushes = False
