"""How a notification reaches somebody. A channel is one small class in one file of this folder, found by itself.

    class Sms(Channel):
        name, label = "sms", "Text message"

        def send(self, notification: Notification) -> None: ...

From then on each new notification has a delivery by it, with its own attempts, and people may switch it off by kind.
What goes wrong is one of three things, and only the channel can tell which.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import ClassVar

from notifications.models import Notification


class TemporaryFailure(Exception):
    """This one may go through later."""


class ChannelUnavailable(TemporaryFailure):
    """Nothing goes through just now: the server does not answer, or does not let us in."""


class PermanentFailure(Exception):
    """This one will never go through."""


class Channel:
    """A worker makes one, sends one notification after another, and closes it."""

    name: ClassVar[str]  # in the database: twenty characters at most
    label: ClassVar[str]
    pushes: ClassVar[bool] = True  # whether there is anything to send; else people come and look

    def send(self, notification: Notification) -> None:
        """Raises TemporaryFailure, ChannelUnavailable or PermanentFailure."""
        raise NotImplementedError(type(self).__name__)

    def close(self) -> None:
        """Let go of whatever `send` has opened."""


@cache
def get_all() -> dict[str, type[Channel]]:
    """All channels by name, in the order of their files."""
    modules = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
    found = [each for module in modules for each in vars(module).values() if _is_channel_of(each, module.__name__)]
    return {channel.name: channel for channel in found}


def get_sending() -> dict[str, type[Channel]]:
    """Those that send."""
    return {name: channel for name, channel in get_all().items() if channel.pushes}


def get_label(name: str) -> str:
    """What people call a channel; its name, where it is no longer there."""
    return get_all()[name].label if name in get_all() else name


def _is_channel_of(what: object, module: str) -> bool:
    return isinstance(what, type) and issubclass(what, Channel) and what.__module__ == module
