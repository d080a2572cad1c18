"""Channels: the ways by which a notification reaches a user.

A channel is one small class in a module of this folder; the module is found without being listed anywhere.

    class SmsChannel(Channel):
        name, label = "sms", "Text message"
        reachable_users = ~Q(phone="")

        def send(self, notification: Notification) -> None: ...

A new channel sends nothing until a kind names it (`Kind.channels`). From then on each new notification of that kind has
a delivery by this channel if the recipient is one of the `reachable_users`, and users may turn it off for that kind.
The steps: docs/development/adding-a-notification-channel.md.
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar

from django.db.models import Q

from athena.accounts.models import User
from notifications import kinds
from notifications.models import Notification


class TemporaryFailure(Exception):
    """This notification could not be sent now; a later attempt may succeed."""


class ChannelUnavailable(TemporaryFailure):
    """No notification can be sent now: the server does not answer or rejects our credentials."""


class PermanentFailure(Exception):
    """This notification can never be sent."""


class Channel:
    """A way to send notifications. A worker creates one, calls `send` for one notification after another, closes it."""

    name: ClassVar[str]  # as stored: at most 20 characters
    label: ClassVar[str]
    sends: ClassVar[bool] = True  # False: there is nothing to send, because users come and look
    reachable_users: ClassVar[Q] = Q()  # the users who can be reached; empty: all of them

    def send(self, notification: Notification) -> None:
        """Send one notification. Raises TemporaryFailure, ChannelUnavailable or PermanentFailure."""
        raise NotImplementedError(type(self).__name__)

    def close(self) -> None:
        """Release what `send` has opened."""


@cache
def get_all() -> dict[str, type[Channel]]:
    """Return all channels by name, in the order of their modules' names."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    classes = [value for module in modules for value in vars(module).values() if _is_channel(value, module.__name__)]
    return {channel.name: channel for channel in classes}


def get_sending() -> dict[str, type[Channel]]:
    """Return the channels that send something, by name."""
    return {name: channel for name, channel in get_all().items() if channel.sends}


def get_used() -> dict[str, type[Channel]]:
    """Return the channels that at least one kind names: the ones that users can choose."""
    used = {name for kind in kinds.get_all() for name in kind.channels}
    return {name: channel for name, channel in get_all().items() if name in used}


def get_label(name: str) -> str:
    """Return the label of a channel; the name itself if the channel does not exist any longer."""
    return get_all()[name].label if name in get_all() else name


def find_unreachable(user: User, names: Iterable[str]) -> set[str]:
    """Return which of these channels cannot reach `user`. One query for each channel that cannot reach everybody."""
    limited = [name for name in names if get_all()[name].reachable_users]
    return {name for name in limited if not User.objects.filter(get_all()[name].reachable_users, pk=user.pk).exists()}


def _is_channel(value: object, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Channel) and value.__module__ == module
