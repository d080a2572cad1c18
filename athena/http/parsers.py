"""Reading a request's body: JSON, strictly. What JSON readers usually wave through is refused with a reason."""

import codecs
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class StrictJSONParser(BaseParser):
    """UTF-8 JSON, an object at the top, no key twice, no NaN, 32 levels deep at most. An empty body is `{}`."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        _require_utf8(parser_context)
        body: bytes = stream.read()
        if not body.strip():
            return {}
        _require_shallow(body)
        try:
            value = json.loads(
                body.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constants,
                parse_float=_exact,
            )  # fmt: skip
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


def _require_utf8(parser_context: Mapping[str, Any] | None) -> None:
    request = (parser_context or {}).get("request")
    charset = request.content_type and _charset(request.content_type) if request is not None else None
    if charset:
        try:
            known = codecs.lookup(charset).name
        except LookupError:
            known = charset
        if known not in ("utf-8", "ascii"):
            raise UnsupportedMediaType(request.content_type, detail="Only UTF-8 is read here.")


def _charset(content_type: str) -> str | None:
    found = re.search(r"charset\s*=\s*\"?([^\";\s]+)", content_type, re.IGNORECASE)
    return found.group(1) if found else None


def _require_shallow(body: bytes) -> None:
    """Count brackets outside strings before anything recursive reads the text."""
    depth = 0
    for char in re.findall(rb"[\[\]{}]", _STRINGS.sub(b"", body)):
        depth += 1 if char in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ParseError(f"The body is more than {MAX_DEPTH} levels deep.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {key!r} is there twice")
        seen[key] = value
    return seen


def _no_constants(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _exact(text: str) -> Decimal:
    """A number with a fraction as it was written: 0.1 stays 0.1, and 1.0 is not the integer 1."""
    if float(text) in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large")
    return Decimal(text)
