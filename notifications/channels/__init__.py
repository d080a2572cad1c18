"""How a notification reaches somebody. A channel is one small class: open it, send one at a time, close it.

What goes wrong is one of three things, and only the channel can tell which.
"""


class TemporaryFailure(Exception):
    """This one may go through later."""


class ChannelAway(TemporaryFailure):
    """Nothing goes through just now: the server does not answer, or does not let us in."""


class PermanentFailure(Exception):
    """This one will never go through."""
