from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db.models import DateField, Value
from django.template import Context, Template

from athena.accounts.models import User
from athena.db import FormatDate
from athena.formatting import format_date, format_datetime, format_money, format_percent

DAY = date(2026, 11, 30)


def test_a_date_names_its_weekday() -> None:
    assert format_date(DAY) == "Mon 30 Nov 2026"
    assert format_date(date(2026, 1, 5)) == "Mon 5 Jan 2026"


def test_a_datetime_is_written_in_the_given_zone() -> None:
    instant = datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
    assert format_datetime(instant) == "Mon 30 Nov 2026, 14:30"
    assert format_datetime(instant, ZoneInfo("America/New_York")) == "Mon 30 Nov 2026, 09:30"


def test_the_database_writes_dates_as_python_does(rep) -> None:
    days = [DAY, date(2026, 1, 5), date(2027, 5, 1)]
    texts = [
        User.objects.values_list(FormatDate(Value(day, output_field=DateField())), flat=True).get(pk=rep.pk)
        for day in days
    ]
    assert texts == [format_date(day) for day in days]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("1250.00"), "$1,250"),
        (Decimal("1250.5"), "$1,250.50"),
        (1234567, "$1,234,567"),
        (0, "$0"),
        (-5, "-$5"),
        (Decimal("-0.001"), "$0"),
        (None, "–"),
    ],
)
def test_money_has_cents_only_where_there_are_any(amount, text) -> None:
    assert format_money(amount) == text


@pytest.mark.parametrize(
    ("percent", "text"),
    [(37.5, "37.5%"), (33.33, "33.3%"), (40.0, "40%"), (-0.01, "0%"), (1234.5, "1,234.5%"), (None, "–")],
)
def test_a_percentage_has_at_most_one_decimal(percent, text) -> None:
    assert format_percent(percent) == text


def test_templates_write_dates_money_and_percentages_the_same_way() -> None:
    page = Template("{{ day }} {{ amount|money }} {{ share|percent }}")
    context = Context({"day": DAY, "amount": Decimal("1250.00"), "share": 37.5})
    assert page.render(context) == "Mon 30 Nov 2026 $1,250 37.5%"
