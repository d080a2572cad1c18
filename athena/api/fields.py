"""Strict serializer fields: they accept what the API documents and convert nothing else.

The same fields read JSON bodies and query parameters. In a body a number is a JSON number. In a query (the serializer's
context holds `{"query": True}`) a number is written in ASCII digits, and a boolean is `true` or `false`.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from athena.limits import MAX_AMOUNT, MAX_COUNT, MAX_TEXT_LENGTH

MAX_ID = 2**63 - 1
YEARS = range(2000, 2101)
MAX_REPORTED_ERRORS = 20  # of one request

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_TIME = re.compile(_CLOCK)
_DATETIME = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})")


def _in_query(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    return bool(field.context.get("query"))


class IntegerField(serializers.IntegerField):
    """A JSON integer (not `"12"`, not `1.0`, not `true`) of at most 64 bits."""

    default_error_messages = {"invalid": "A whole number is required."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": -MAX_ID - 1, "max_value": MAX_ID, **options})

    def to_internal_value(self, data: Any) -> int:
        if _in_query(self) and isinstance(data, str) and _INTEGER.fullmatch(data):
            return int(data)
        if type(data) is not int:
            self.fail("invalid")
        return data


class IdField(IntegerField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, **options})


class CountField(IntegerField):
    """A count from 0 to 100,000."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": MAX_COUNT, **options})


class ListField(serializers.ListField):
    """At most `max_length` items. The items of a longer list are not checked; the first few errors are named."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def run_child_validation(self, data: Any) -> list[Any]:
        if len(data) > (self.max_length or 0):
            self.fail("max_length", max_length=self.max_length)
        values: list[Any] = []
        errors: dict[Any, Any] = {}
        for index, item in enumerate(data):
            try:
                values.append(self.child.run_validation(item))
            except serializers.ValidationError as error:
                errors[index] = error.detail
                if len(errors) == MAX_REPORTED_ERRORS:
                    break
        if errors:
            raise serializers.ValidationError(errors)
        return values


class BooleanField(serializers.BooleanField):
    """`true` or `false`. An absent field stays absent and does not become `false`."""

    default_error_messages = {"invalid": "Must be true or false."}
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if _in_query(self) and data in ("true", "false"):
            return bool(data == "true")
        if type(data) is not bool:
            self.fail("invalid")
        return data


class MoneyField(serializers.DecimalField):
    """An amount: a JSON number from 0 to 9,999,999,999.99 with at most two decimals."""

    default_error_messages = {
        "invalid": "A number is required.",
        "decimals": "At most two decimals are allowed.",
    }

    def __init__(self, **options: Any) -> None:
        defaults = {"min_value": Decimal(0), "max_value": MAX_AMOUNT, "coerce_to_string": False}
        super().__init__(max_digits=None, decimal_places=2, **{**defaults, **options})

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Treat blank text as invalid, not as an absent amount."""
        return serializers.Field.validate_empty_values(self, data)

    def to_internal_value(self, data: Any) -> Decimal:
        if _in_query(self) and isinstance(data, str) and _AMOUNT.fullmatch(data):
            return Decimal(data)
        if type(data) not in (int, float) or data != data or abs(data) > 10**15:
            self.fail("invalid")
        value = Decimal(repr(data))
        if value != round(value, 2):
            self.fail("decimals")
        return abs(round(value, 2)) if value == 0 else round(value, 2)


TEXT_ERRORS = {
    "characters": "This contains characters that can't be stored.",
    "one_line": "This must be one line of text, without control characters.",
}
EMAIL_ERROR = "This is not an email address."
YEARS_ERROR = "The year must be between 2000 and 2100."


def find_text_error(text: str, *, one_line: bool) -> str | None:
    """The key in `TEXT_ERRORS` of the first error in a text; None for a valid text."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "characters"
    if one_line and any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text.strip()):
        return "one_line"
    return None


def is_in_allowed_years(value: date | datetime) -> bool:
    """Whether a date is in the years 2000 to 2100; a datetime must be so in its own zone and in UTC."""
    if value.year not in YEARS:
        return False
    return not isinstance(value, datetime) or value.astimezone(UTC).year in YEARS


class _Text(serializers.CharField):
    """Trimmed text. An optional field may be blank."""

    default_error_messages = {"invalid": "Text is required.", **TEXT_ERRORS}
    one_line = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_blank": options.get("required") is False or "default" in options, **options})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None:
            if not isinstance(data, str):
                self.fail("invalid")
            if self.max_length is not None and len(data.strip()) > self.max_length:
                self.fail(
                    "max_length", max_length=self.max_length
                )  # without the other checks, which are slow for a long text
            if key := find_text_error(data, one_line=self.one_line):
                self.fail(key)
        return super().run_validation(data)


class OneLineField(_Text):
    """One line of text, without control characters."""

    one_line = True

    def __init__(self, max_length: int = 200, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)


class LongTextField(_Text):
    """Text of several lines, at most 10,000 characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": MAX_TEXT_LENGTH, **options})


class PasswordField(_Text):
    """A password, exactly as it was typed."""

    def __init__(self, **options: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(trim_whitespace=False, max_length=1_000, style=style, **options)


class EmailField(OneLineField):
    def __init__(self, max_length: int = 254, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> str:
        value: str = super().to_internal_value(data)
        if value:
            try:
                validate_email(value)
            except DjangoValidationError as error:
                raise serializers.ValidationError(EMAIL_ERROR) from error
        return value


def _parse(pattern: re.Pattern[str], parse: Callable[[str], Any], data: Any) -> Any:
    """`parse(data)`, or None if `data` is not a text of this pattern or means an impossible value."""
    if not isinstance(data, str) or not pattern.fullmatch(data):
        return None
    try:
        return parse(data)
    except (ValueError, OverflowError):
        return None


_read_date: Callable[[Any], date | None] = partial(_parse, _DATE, date.fromisoformat)
_read_time: Callable[[Any], time | None] = partial(_parse, _TIME, time.fromisoformat)
_read_datetime: Callable[[Any], datetime | None] = partial(_parse, _DATETIME, datetime.fromisoformat)


class DateField(serializers.DateField):
    """`YYYY-MM-DD`, in the years 2000 to 2100."""

    default_error_messages = {
        "invalid": "Write a date as YYYY-MM-DD.",
        "years": YEARS_ERROR,
    }

    def to_internal_value(self, data: Any) -> date:
        value = _read_date(data)
        if value is None:
            self.fail("invalid")
        if not is_in_allowed_years(value):
            self.fail("years")
        return value


class DateTimeField(serializers.DateTimeField):
    """`YYYY-MM-DDThh:mm[:ss]` with `Z` or an offset, in the years 2000 to 2100; the value is in UTC."""

    default_error_messages = {
        "invalid": "Write a datetime as YYYY-MM-DDThh:mm:ss with an offset, such as 2026-05-01T09:30:00-04:00.",
        "years": YEARS_ERROR,
    }

    def to_internal_value(self, data: Any) -> datetime:
        value = _read_datetime(data)
        if value is None:
            self.fail("invalid")
        if not is_in_allowed_years(value):
            self.fail("years")
        return value.astimezone(UTC)


class DateOrDateTimeField(serializers.Field[Any, Any, Any, Any]):
    """A query parameter that is a date, or a datetime with an offset; a datetime is returned in UTC."""

    def to_internal_value(self, data: Any) -> date:
        field = DateField() if isinstance(data, str) and _DATE.fullmatch(data) else DateTimeField()
        value: date = field.run_validation(data)
        return value


class TimeField(serializers.TimeField):
    """`hh:mm[:ss]`: a time of day without a zone."""

    default_error_messages = {"invalid": "Write a time of day as hh:mm or hh:mm:ss, without a zone."}

    def to_internal_value(self, data: Any) -> time:
        value = _read_time(data)
        if value is None:
            self.fail("invalid")
        return value


class ChoiceField(serializers.ChoiceField):
    """One of the choices, spelled exactly the same."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.choices:
            return data
        if data == "" and self.allow_blank:
            return ""
        raise serializers.ValidationError(f"Choose one of: {', '.join(map(str, self.choices))}.")
