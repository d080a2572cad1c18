"""The fields of requests, each strict: the right JSON type or a 400 that says what is expected."""

import re
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from rest_framework import serializers

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
MAX_ID = 2**63 - 1
MAX_COUNT = 100_000
MAX_AMOUNT = Decimal("9999999999.99")
LONG_TEXT = 10_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,19}")


class IntegerField(serializers.IntegerField):
    """A JSON integer (in a query: ASCII digits). `"12"`, `1.0` and `true` are none."""

    default_error_messages = {"invalid": "A valid integer is required."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and _from_query(self):
            if not _INTEGER.fullmatch(data):
                self.fail("invalid")
            data = int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class IdField(IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class CountField(IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_COUNT, **options)


class BooleanField(serializers.BooleanField):
    """`true` or `false`, nothing that is like them."""

    def to_internal_value(self, data: Any) -> bool:
        if _from_query(self) and data in ("true", "false"):
            return bool(data == "true")
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class MoneyField(serializers.DecimalField):
    """An amount as a JSON number with two decimals at most, from 0 to 9,999,999,999.99."""

    default_error_messages = {"invalid": "A number is required."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=2, min_value=Decimal(0), max_value=MAX_AMOUNT, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, int | float | Decimal) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class OneLineField(serializers.CharField):
    """Trimmed text without control characters; empty is nothing."""

    one_line = True

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_blank", True)
        super().__init__(trim_whitespace=True, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        why = wrong_text(data, one_line=self.one_line)
        if why:
            raise serializers.ValidationError(why)
        return str(super().to_internal_value(data))


class LongTextField(OneLineField):
    """Trimmed text of several lines, 10,000 characters at most."""

    one_line = False

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONG_TEXT, **options)


def wrong_text(text: str, *, one_line: bool) -> str | None:
    """Why this text can't be kept, or None."""
    if "\x00" in text:
        return "Null characters are not allowed."
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "The text has a lone surrogate."
    if one_line and any(unicodedata.category(char) == "Cc" for char in text.strip()):
        return "Control characters are not allowed."
    return None


class EmailField(OneLineField):
    """An e-mail address, or nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if value:
            serializers.EmailField().run_validation(value)
        return value


class ChoiceField(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class DateField(serializers.DateField):
    """`YYYY-MM-DD`, from 2000 to 2100."""

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str) or not _DATE.fullmatch(data):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            value = date.fromisoformat(data)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")
        if not FIRST_DAY <= value <= LAST_DAY:
            raise serializers.ValidationError("The year must be from 2000 to 2100.")
        return value


class TimeField(serializers.TimeField):
    """A wall clock's time: `HH:MM` or `HH:MM:SS`, no zone."""

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not _TIME.fullmatch(data):
            self.fail("invalid", format="HH:MM[:SS]")
        try:
            return time.fromisoformat(data)
        except ValueError:
            self.fail("invalid", format="HH:MM[:SS]")


class DateTimeField(serializers.DateTimeField):
    """ISO 8601 with an offset, from 2000 to 2100; kept in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        wanted = "YYYY-MM-DDThh:mm[:ss](Z|±hh:mm)"
        if not isinstance(data, str) or not _MOMENT.fullmatch(data):
            self.fail("invalid", format=wanted)
        try:
            value = datetime.fromisoformat(data).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid", format=wanted)
        if not FIRST_DAY <= value.date() <= LAST_DAY:
            raise serializers.ValidationError("The year must be from 2000 to 2100.")
        return value


class MomentField(serializers.Field):  # type: ignore[type-arg]
    """In a query: an instant with an offset, or a day, which means its beginning in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        if isinstance(data, str) and _DATE.fullmatch(data):
            return datetime.combine(DateField().run_validation(data), time(), UTC)
        moment: datetime = DateTimeField().run_validation(data)
        return moment


def _from_query(field: serializers.Field) -> bool:  # type: ignore[type-arg]
    """Whether this value came as a query parameter, where everything is text."""
    return bool(field.context.get("query"))
