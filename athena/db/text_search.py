"""Finding words wherever text is kept, in columns of text and of JSON, and taking them out: two statements a table."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from athena.db.bulk import IdIn, update_each

ERASED = "[erased]"

# What may stand around each kind: nothing with which it would be another one. An address may be in that of a web page,
# after %20, or in the name of a file.
_FILE = r"\.(?:csv|txt|xlsx?|xlsm|ods|pdf|docx?|eml|msg|vcf|ics|json|png|jpe?g)\b"
_ADDRESS = r"(?:(?<!\w)(?<!\w[.+-])|(?<=%[0-9a-f][0-9a-f]))(?:{})(?!\w)(?:(?=" + _FILE + r")|(?![.-]\w))"
_NAME = r"(?<!\w)(?:{})(?!\w)"
_NUMBER = r"(?<!\d)(?:{})(?!\d)"


class Mentions:
    """E-mail addresses, names and telephone numbers, each a regular expression that PostgreSQL and Python read alike.

    They are found whole, in any case: `ann@x.example` is not in `joann@x.example`, nor in `ann@x.example.org`. A name
    of one word is found only as it is written: in another case it may be a word of any text (`Will`, `Bill`).
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
        """Whether one of them stands in the text, or in any text that the JSON value holds."""
        return bool(self.erase_from(value) != value)

    def erase_from(self, value: Any) -> Any:
        """The text, or all that JSON holds, with `[erased]` in the place of each of them."""
        return map_text(value, self._without)

    def _without(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(ERASED, text)
        return text

    def find_rows(self, model: type[Model], columns: Sequence[str]) -> "QuerySet[Any, Any]":
        """The rows in one of whose columns one of them stands."""
        return model._base_manager.filter(IdIn("pk", self._without_in(model, columns)))

    def erase_from_table(self, model: type[Model], columns: Sequence[str]) -> int:
        """Take them out of these columns of all rows. Returns how many rows held one."""
        changed = self._without_in(model, columns)
        if changed:
            update_each(model, columns, changed)
        return len(changed)

    def _without_in(self, model: type[Model], columns: Sequence[str]) -> dict[int, list[Any]]:
        """By key of each row in which one of them stands: the columns without them."""
        changed: dict[int, list[Any]] = {}
        for key, *values in self._candidates(model, columns).order_by().values_list("pk", *columns):
            without = [self.erase_from(value) for value in values]
            if without != values:
                changed[key] = without
        return changed

    def _candidates(self, model: type[Model], columns: Sequence[str]) -> "QuerySet[Any, Any]":
        """The rows in which they may stand: in SQL one can't see where a word begins in JSON's own spelling."""
        rows, anywhere = model._base_manager.all(), Q()
        for name in columns:
            if isinstance(model._meta.get_field(name), JSONField):
                rows = rows.annotate(**{f"{name}_text": Cast(name, TextField())})
                anywhere |= Q(**{f"{name}_text__iregex": "|".join(map(_in_json, self._words))})
            else:
                anywhere |= Q(**{f"{name}__iregex": "|".join(self._words)})
        return rows.filter(anywhere) if columns and self._words else rows.none()


def map_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed, however deep; names of JSON objects, too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(name): map_text(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [map_text(each, change) for each in value]
    return value


def list_text_columns(model: type[Model]) -> list[str]:
    """The columns in which any text can stand: not those of keys and of choices."""
    return [field.name for field in model._meta.concrete_fields if _holds_text(field)]


def _holds_text(field: "Field[Any, Any]") -> bool:
    kinds = {"CharField", "TextField", "JSONField", "EmailField", "SlugField", "URLField"}
    return not field.is_relation and not field.choices and field.get_internal_type() in kinds


def _in_json(word: str) -> str:
    """The word as JSON writes it: SQLite keeps what Django wrote, which is ASCII; PostgreSQL writes it anew."""
    word = word.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"')
    return word if connection.vendor == "postgresql" else re.sub(r"[^\x00-\x7f]", _in_ascii, word)


def _in_ascii(found: "re.Match[str]") -> str:
    """The letter as JSON escapes it, small or capital."""
    spellings = dict.fromkeys((found[0], found[0].lower(), found[0].upper()))
    return f"(?:{'|'.join(re.escape(json.dumps(each)[1:-1]) for each in spellings)})"
