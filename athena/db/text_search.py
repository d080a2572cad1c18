"""Finds and erases names, email addresses and phone numbers in text and JSON columns: two statements per table."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from athena.db.bulk import IdIn, update_each

ERASED = "[erased]"

# The context of each kind of text, so that it is not part of a longer one. An email address may also be part of a URL
# (after %20) or of a file name.
_FILE = r"\.(?:csv|txt|xlsx?|xlsm|ods|pdf|docx?|eml|msg|vcf|ics|json|png|jpe?g)\b"
_ADDRESS = r"(?:(?<!\w)(?<!\w[.+-])|(?<=%[0-9a-f][0-9a-f]))(?:{})(?!\w)(?:(?=" + _FILE + r")|(?![.-]\w))"
_NAME = r"(?<!\w)(?:{})(?!\w)"
_NUMBER = r"(?<!\d)(?:{})(?!\d)"


class Mentions:
    """Email addresses, names and phone numbers to look for, as regular expressions that work in PostgreSQL and Python.

    Only whole matches count, in any case: `ann@x.example` is not in `joann@x.example` or `ann@x.example.org`. A name of
    one word must match in case, since in another case it may be a common word (`Will`, `Bill`).
    """

    def __init__(self, addresses: Iterable[str] = (), names: Iterable[str] = (), numbers: Iterable[str] = ()) -> None:
        addresses, names, numbers = set(addresses), set(names), set(numbers)
        self._words = sorted(addresses | names | numbers, key=len, reverse=True)
        single = {name for name in names if " " not in name}
        whole = [
            (_ADDRESS, addresses, re.IGNORECASE),
            (_NAME, names - single, re.IGNORECASE),
            (_NAME, single, re.NOFLAG),
            (_NUMBER, numbers, re.IGNORECASE),
        ]
        self._patterns = [
            re.compile(around.replace("{}", "|".join(sorted(words, key=len, reverse=True))), flags)
            for around, words, flags in whole
            if words
        ]

    def are_in(self, value: Any) -> bool:
        """Whether a text, or any text in a JSON value, contains one of them."""
        return bool(self.erase_from(value) != value)

    def erase_from(self, value: Any) -> Any:
        """The text or JSON value with each of them replaced by `[erased]`."""
        return map_text(value, self._without)

    def _without(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(ERASED, text)
        return text

    def find_rows(self, model: type[Model], columns: Sequence[str]) -> "QuerySet[Any, Any]":
        """The rows that contain one of them in these columns."""
        return model._base_manager.filter(IdIn("pk", self._without_in(model, columns)))

    def erase_from_table(self, model: type[Model], columns: Sequence[str]) -> int:
        """Erase them from these columns of all rows. Returns the number of changed rows."""
        changed = self._without_in(model, columns)
        if changed:
            update_each(model, columns, changed)
        return len(changed)

    def _without_in(self, model: type[Model], columns: Sequence[str]) -> dict[int, list[Any]]:
        """Maps the id of each row that contains one of them to its values without them."""
        changed: dict[int, list[Any]] = {}
        for key, *values in self._candidates(model, columns).order_by().values_list("pk", *columns):
            without = [self.erase_from(value) for value in values]
            if without != values:
                changed[key] = without
        return changed

    def _candidates(self, model: type[Model], columns: Sequence[str]) -> "QuerySet[Any, Any]":
        """The rows that may contain one of them: SQL cannot see word boundaries in escaped JSON."""
        rows, anywhere = model._base_manager.all(), Q()
        for name in columns:
            if isinstance(model._meta.get_field(name), JSONField):
                rows = rows.annotate(**{f"{name}_text": Cast(name, TextField())})
                anywhere |= Q(**{f"{name}_text__iregex": "|".join(map(_in_json, self._words))})
            else:
                anywhere |= Q(**{f"{name}__iregex": "|".join(self._words)})
        return rows.filter(anywhere) if columns and self._words else rows.none()


def map_text(value: Any, change: Callable[[str], str]) -> Any:
    """Apply `change` to every text in a JSON value, keys included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(name): map_text(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [map_text(inner, change) for inner in value]
    return value


def list_text_columns(model: type[Model]) -> list[str]:
    """The columns that can hold free text: not foreign keys and choices."""
    return [field.name for field in model._meta.concrete_fields if _holds_text(field)]


def _holds_text(field: "Field[Any, Any]") -> bool:
    kinds = {"CharField", "TextField", "JSONField", "EmailField", "SlugField", "URLField"}
    return not field.is_relation and not field.choices and field.get_internal_type() in kinds


def _in_json(word: str) -> str:
    """The word as it is stored in JSON: SQLite keeps Django's ASCII escapes, PostgreSQL stores Unicode."""
    word = word.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"')
    return word if connection.vendor == "postgresql" else re.sub(r"[^\x00-\x7f]", _in_ascii, word)


def _in_ascii(match: "re.Match[str]") -> str:
    """A letter as JSON escapes it, in lower and upper case."""
    spellings = dict.fromkeys((match[0], match[0].lower(), match[0].upper()))
    return f"(?:{'|'.join(re.escape(json.dumps(spelling)[1:-1]) for spelling in spellings)})"
