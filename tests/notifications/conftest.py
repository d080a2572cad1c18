"""A channel that exists only in a test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifications import api as _api  # noqa: F401 - it reads the channels when it is imported: before any test
from notifications import channels
from notifications.channels import Channel

PIGEON = """
from django.db.models import Q
from notifications.channels import Channel

class PigeonChannel(Channel):
    name, label = "pigeon", "Carrier pigeon"
    reachable_users = Q(full_name="Maria")
    sent = []

    def send(self, notification):
        self.sent.append(notification.dedupe_key)
"""


@pytest.fixture
def pigeon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Channel]]:
    """One more file in the folder of channels: a channel that reaches Maria and nobody else."""
    (tmp_path / "pigeon.py").write_text(PIGEON)
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "notifications.channels.pigeon", raising=False)
    channels.get_all.cache_clear()
    yield channels.get_all()["pigeon"]
    channels.get_all.cache_clear()
