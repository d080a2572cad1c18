"""The broker of the first run: kombu's, in files, without its moments at which a file is there and its text is not.

A reader that comes between opening and writing, and one that finds what a killed writer left, would raise; that ends
the worker, and with it the whole of `manage.py up`.
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

TABLE_SECONDS = 0.05  # for which somebody else may be writing the table of an exchange, at their first start


class Channel(filesystem.Channel):  # type: ignore[misc]
    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Write the message beside its name, then let it have it: a reader sees all of it, or nothing."""
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid4()}.{queue}.msg"
        part = Path(self.data_folder_out, f"{name}.part")
        part.write_bytes(str_to_bytes(dumps(message)))
        part.rename(part.with_name(name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message; one that can't be read is dropped, since the next tick finds its work."""
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
