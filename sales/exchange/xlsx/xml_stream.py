"""Reading one XML part of an XLSX file as a stream of elements that are counted and not kept.

A document type is refused, so there are no entities. A part that is nested too deep, or has a tag or comment of more
than a megabyte, is refused, too: parsing it would take memory or time out of proportion.
"""

from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers import expat

from sales.exchange.limits import MAX_XML_DEPTH, MAX_XML_EVENTS, refuse

DAMAGED = "The Excel file is damaged and can't be read. Save it again as .xlsx."
TOO_LARGE = "Unpacked, the Excel file is too large. Save the sheet as “CSV UTF-8”, split it, and upload the parts."
TOO_LONG = "The Excel file holds a text of more than a megabyte. Shorten it, or save the sheet as “CSV UTF-8”."
_CHUNK_BYTES = 65_536
_MAX_TOKEN_BYTES = 1_000_000  # without an element or text


class Stream:
    """A parser that calls `start(name, attributes)`, `end(name)` and `text(piece)`; names are without prefix.

    `text` is only called between `listen(True)` and `listen(False)`.
    """

    def __init__(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        self._start, self._end, self._text = start, end, text
        self._depth = self._events = 0
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = lambda *_: refuse(DAMAGED)
        self._parser.StartElementHandler = self._on_start
        self._parser.EndElementHandler = self._on_end

    def listen(self, is_on: bool) -> None:
        """Turn calls of `text` on or off."""
        self._parser.CharacterDataHandler = self._on_text if is_on else None

    def feed(self, part: IO[bytes]) -> Iterator[None]:
        """Parse the part, and yield after each piece, so that the caller can take what that piece contained."""
        quiet_bytes = 0
        while piece := part.read(_CHUNK_BYTES):
            before = self._events
            self._parse(piece, False)
            quiet_bytes = 0 if self._events > before else quiet_bytes + len(piece)
            if quiet_bytes > _MAX_TOKEN_BYTES:
                refuse(TOO_LONG)
            yield
        self._parse(b"", True)
        yield

    def _parse(self, piece: bytes, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError:
            refuse(DAMAGED)

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count_event()
        if self._depth > MAX_XML_DEPTH:
            refuse(DAMAGED)
        self._start(name.rpartition(":")[2], attributes)

    def _on_end(self, name: str) -> None:
        self._depth -= 1
        if self._end:
            self._end(name.rpartition(":")[2])

    def _on_text(self, piece: str) -> None:
        self._count_event()
        if self._text:
            self._text(piece)

    def _count_event(self) -> None:
        self._events += 1
        if self._events > MAX_XML_EVENTS:
            refuse(TOO_LARGE)


def read_all(part: IO[bytes], start: Callable[[str, dict[str, str]], None]) -> None:
    """Call `start` for each element of the part."""
    for _ in Stream(start).feed(part):
        pass
