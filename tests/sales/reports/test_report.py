"""How the columns of all reports write their numbers."""

import pytest

from athena.formatting import format_money, format_percent
from sales.reports.registry import REPORTS
from sales.reports.report import NumberColumn
from sales.reports.source_roi import write_roi

COLUMNS = [column for report in REPORTS.values() for column in report.columns if isinstance(column, NumberColumn)]
RATE_WORDS, AMOUNT_WORDS = ("rate", "share", "on time"), ("revenue", "spend", "cost", "value")
COUNTS = ("Without a value",)  # headings that say such a word and are a count


def find_columns(words):
    columns = [column for column in COLUMNS if any(word in column.heading.lower() for word in words)]
    return [column for column in columns if column.heading not in COUNTS]


@pytest.mark.parametrize("column", find_columns(RATE_WORDS), ids=lambda column: column.heading)
def test_a_rate_is_a_percentage(column):
    assert column.write == format_percent


@pytest.mark.parametrize("column", find_columns(AMOUNT_WORDS), ids=lambda column: column.heading)
def test_an_amount_is_money(column):
    assert column.write == format_money


def test_the_words_find_the_columns():
    assert len(find_columns(RATE_WORDS)) >= 6
    assert len(find_columns(AMOUNT_WORDS)) >= 5


def test_a_ratio_reads_like_a_rate():
    assert write_roi(0.375) == format_percent(37.5) == "37.5%"
