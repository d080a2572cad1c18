"""How the columns of all reports write their numbers."""

import pytest

from athena.formatting import format_money, format_percent
from sales.reports.registry import REPORTS
from sales.reports.report import NumberColumn
from sales.reports.source_roi import write_roi

COLUMNS = [column for report in REPORTS.values() for column in report.columns if isinstance(column, NumberColumn)]
RATES = ("Completion rate", "On time", "Win rate", "Others’ win rate", "Share")
AMOUNTS = ("Revenue", "Spend", "Cost per lead", "Cost per booking", "Value")


@pytest.mark.parametrize(("headings", "write", "count"), [(RATES, format_percent, 6), (AMOUNTS, format_money, 5)])
def test_rates_are_percentages_and_amounts_are_money(headings, write, count):
    columns = [column for column in COLUMNS if column.heading in headings]
    assert len(columns) == count
    assert {column.write for column in columns} == {write}


def test_a_ratio_reads_like_a_rate():
    assert write_roi(0.375) == format_percent(37.5) == "37.5%"


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.heading)
def test_headings_that_say_rate_or_cost_are_known(column):
    """A new column of this kind is added to the lists above, so that it is written like the others."""
    if any(word in column.heading.lower() for word in ("rate", "share", "cost", "value", "spend", "revenue")):
        assert column.heading in (*RATES, *AMOUNTS, "Without a value")
