"""The broker of the first run: kombu's file broker, made safe against incomplete files.

In kombu's own version a reader can find a file that is still being written, or one that a killed writer left
incomplete. It raises an error then, which ends the worker and with it `manage.py up`.
"""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

logger = structlog.get_logger(__name__)

TABLE_SECONDS = 0.05  # how long another process may take to write the table of an exchange when it first starts


class Channel(filesystem.Channel):  # type: ignore[misc]
    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Write the message to a temporary file and rename it, so that a reader sees all of it or nothing."""
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid4()}.{queue}.msg"
        part = Path(self.data_folder_out, f"{name}.part")
        part.write_bytes(str_to_bytes(dumps(message)))
        part.rename(part.with_name(name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message. An unreadable one is dropped: the next tick finds its work."""
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:
                logger.warning("message_unreadable", queue=queue, error=repr(error))

    def get_table(self, exchange: str) -> Any:
        try:
            return super().get_table(exchange)
        except ValueError:
            time.sleep(TABLE_SECONDS)
            return super().get_table(exchange)


class Transport(filesystem.Transport):  # type: ignore[misc]
    Channel = Channel
