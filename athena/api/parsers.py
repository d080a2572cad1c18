"""Strict parsers for request bodies: JSON without ambiguities, and the forms of web pages for the intake route."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn
from urllib.parse import parse_qsl

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from athena.api.fields import UNSTORABLE

MAX_DEPTH = 32
MAX_FIELDS = 100


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The body as a dictionary: one JSON object without duplicate keys.

        Raises `ParseError` (400) and `UnsupportedMediaType` (415).
        """
        _require_utf8(media_type or "")
        try:
            value = json.loads(
                stream.read().decode(),
                object_pairs_hook=_object,
                parse_float=_finite,
                parse_constant=_no_constant,
            )
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, _Refused) else "The body is not valid JSON."
            raise ParseError(reason) from error
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        if _too_deep(value, MAX_DEPTH):
            raise ParseError(f"The body is more than {MAX_DEPTH} levels deep.")
        return value


class StrictFormParser(BaseParser):
    """A form of a web page: each name once; a blank field counts as absent."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        """The fields as text. Raises `ParseError` (400) and `UnsupportedMediaType` (415)."""
        _require_utf8(media_type or "")
        try:
            pairs = parse_qsl(
                stream.read().decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
            )
        except ValueError as error:
            raise ParseError("The form could not be read.") from error
        if len(dict(pairs)) < len(pairs):
            raise ParseError("A field occurs twice.")
        return {name: value.replace("\r\n", "\n") for name, value in pairs if value.strip()}


class _Refused(ValueError):
    """JSON that other parsers may accept but we refuse; the message says why."""


def _require_utf8(media_type: str) -> None:
    kind, *parameters = media_type.split(";")
    if "*" in kind:  # a media range, which the framework accepts for any parser
        raise UnsupportedMediaType(media_type)
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type, "The body must be UTF-8.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _Refused("A key occurs twice.")
    if UNSTORABLE.search("".join(value)):
        raise _Refused("A key contains characters that are not allowed.")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Refused("A number is too large.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON.")


def _too_deep(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(
        _too_deep(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value)
    )
