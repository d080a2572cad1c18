"""The layout of bar charts, in units of the SVG."""

import pytest

from sales.admin.reports.charts import NAMES_WIDTH, NUMBERS_WIDTH, WIDTH, build_bar_chart

BARS_WIDTH = WIDTH - NAMES_WIDTH - NUMBERS_WIDTH


@pytest.fixture
def chart():
    rows = [("Ads", [4000, 1000]), ("Fair", [0, None])]
    return build_bar_chart("Revenue and spend", "Dollars", ["Revenue", "Spend"], rows)


def test_bars_are_as_long_as_their_numbers(chart):
    ads, fair = chart.groups
    assert [(bar.css, bar.width, bar.label) for bar in ads.bars] == [
        ("series-0", BARS_WIDTH, "4,000"),
        ("series-1", BARS_WIDTH / 4, "1,000"),
    ]
    assert [(bar.css, bar.width, bar.label) for bar in fair.bars] == [("series-0", 0, "0")]


def test_bars_stand_below_each_other_above_the_axis(chart):
    ads, fair = chart.groups
    assert ads.bars[0].y < ads.bars[1].y < fair.y < chart.bottom


def test_the_axis_and_the_legend(chart):
    assert [tick.label for tick in chart.ticks] == ["0", "1,000", "2,000", "3,000", "4,000"]
    assert [tick.x for tick in chart.ticks] == [NAMES_WIDTH + BARS_WIDTH * part / 4 for part in range(5)]
    assert [(legend.css, legend.label) for legend in chart.legends] == [("series-0", "Revenue"), ("series-1", "Spend")]


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.04, ["0.00", "0.01", "0.02", "0.03", "0.04"]),
        (23, ["0", "5", "10", "15", "20", "25"]),
        (98_765, ["0", "20,000", "40,000", "60,000", "80,000", "100,000"]),
    ],
)
def test_steps_of_the_axis_are_ones_twos_and_fives(highest, labels):
    chart = build_bar_chart("x", "x", ["x"], [("x", [highest])])
    assert [tick.label for tick in chart.ticks] == labels


@pytest.mark.parametrize("rows", [[], [("a", [0]), ("b", [None])]], ids=["no rows", "no numbers"])
def test_there_is_no_chart_of_nothing(rows):
    assert build_bar_chart("x", "x", ["x"], rows) is None
