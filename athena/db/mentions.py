"""Finding words wherever text is kept, in columns of text and of JSON, and taking them out: two statements a table."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from athena.db.bulk import update_own

ERASED = "[erased]"


class Mentions:
    """Some words, each a regular expression that PostgreSQL and Python read alike; found whole, in any case."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(set(words), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(self.words)})(?!\w)", re.IGNORECASE)

    def found_in(self, text: str) -> bool:
        return bool(self._pattern.search(text))

    def without(self, value: Any) -> Any:
        """The text, or all that JSON holds, with `[erased]` in the place of each word."""
        return map_text(value, lambda text: self._pattern.sub(ERASED, text))

    def rows(self, model: type[Model], columns: Sequence[str]) -> "QuerySet[Any, Any]":
        """The rows in one of whose columns a word may stand; `columns` are there as they are."""
        rows, anywhere = model._base_manager.all(), Q()
        for name in columns:
            if isinstance(model._meta.get_field(name), JSONField):
                rows = rows.annotate(**{f"{name}_text": Cast(name, TextField())})
                anywhere |= Q(**{f"{name}_text__iregex": "|".join(_in_json(self.words))})
            else:
                anywhere |= Q(**{f"{name}__iregex": "|".join(self.words)})
        return rows.filter(anywhere) if columns else rows.none()

    def scrub(self, model: type[Model], columns: Sequence[str]) -> int:
        """Take the words out of these columns of all rows. Returns how many rows held one."""
        changed: dict[int, list[Any]] = {}
        for key, *values in self.rows(model, columns).order_by().values_list("pk", *columns):
            without = [self.without(value) for value in values]
            if without != values:
                changed[key] = without
        if changed:
            update_own(model, columns, changed)
        return len(changed)


def map_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed, however deep; names of JSON objects, too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(name): map_text(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [map_text(each, change) for each in value]
    return value


def text_columns(model: type[Model]) -> list[str]:
    """The columns in which any text can stand: not those of keys and of choices."""
    return [field.name for field in model._meta.concrete_fields if _holds_text(field)]


def _holds_text(field: "Field[Any, Any]") -> bool:
    kinds = {"CharField", "TextField", "JSONField", "EmailField", "SlugField", "URLField"}
    return not field.is_relation and not field.choices and field.get_internal_type() in kinds


def _in_json(words: Iterable[str]) -> list[str]:
    """The words as JSON writes them: SQLite keeps what Django wrote, which is ASCII; PostgreSQL writes it anew."""
    found = []
    for word in words:
        spellings = {word, word.lower(), word.upper(), word.title()} if not word.isascii() else {word}
        for each in spellings:
            if connection.vendor == "postgresql":
                found.append(each)
            else:
                found.append(re.sub(r"[^\x00-\x7f]", lambda c: re.escape(json.dumps(c[0])[1:-1]), each))
    return found
