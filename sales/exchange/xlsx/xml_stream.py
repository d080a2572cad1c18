"""Reading one XML part of an XLSX file as a stream of elements: nothing of it is kept, everything is counted.

There is no document type, so there are no entities. A part that is nested too deep, or has a tag or comment of more
than a megabyte, is refused: a parser would take memory or time out of proportion for it.
"""

from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers import expat

from sales.exchange.limits import MAX_DEPTH, MAX_EVENTS, refuse

DAMAGED = "The Excel file is damaged and can't be read. Save it again as .xlsx."
TOO_LARGE = "Unpacked, the Excel file is too large. Save the sheet as “CSV UTF-8” and split it."
TOO_LONG = "The Excel file holds a text of more than a megabyte. Shorten it, or save the sheet as “CSV UTF-8”."
_CHUNK = 65_536
_LONGEST_TOKEN = 1_000_000  # bytes without an element or text


class Stream:
    """Calls `start(name, attributes)`, `end(name)` and `text(piece)` for what `part` holds; names without prefix.

    `text` is only called between `self.listen(True)` and `self.listen(False)`.
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

    def listen(self, on: bool) -> None:
        self._parser.CharacterDataHandler = self._on_text if on else None

    def feed(self, part: IO[bytes]) -> Iterator[None]:
        """Read the part piece by piece, so that what a piece has brought can be taken before the next."""
        quiet = 0
        while piece := part.read(_CHUNK):
            before = self._events
            self._parse(piece, False)
            quiet = 0 if self._events > before else quiet + len(piece)
            if quiet > _LONGEST_TOKEN:
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
        self._count()
        if self._depth > MAX_DEPTH:
            refuse(DAMAGED)
        self._start(name.rpartition(":")[2], attributes)

    def _on_end(self, name: str) -> None:
        self._depth -= 1
        if self._end:
            self._end(name.rpartition(":")[2])

    def _on_text(self, piece: str) -> None:
        self._count()
        if self._text:
            self._text(piece)

    def _count(self) -> None:
        self._events += 1
        if self._events > MAX_EVENTS:
            refuse(TOO_LARGE)


def read_all(part: IO[bytes], start: Callable[[str, dict[str, str]], None]) -> None:
    """Call `start` for each element of the part."""
    for _ in Stream(start).feed(part):
        pass
