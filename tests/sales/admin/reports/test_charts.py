"""Bar charts, worked out to the pixel."""

from sales.admin.reports.charts import LABELS, VALUES, WIDTH, bar_chart


def test_bars_are_as_long_as_their_numbers():
    chart = bar_chart(
        "Revenue and spend", "Dollars", ["Revenue", "Spend"], [("Ads", [4000, 1000]), ("Fair", [0, None])]
    )
    room = WIDTH - LABELS - VALUES
    assert [[(bar.css, bar.width, bar.text) for bar in group.bars] for group in chart.groups] == [
        [("series-0", room, "4,000"), ("series-1", room / 4, "1,000")], [("series-0", 0, "0")],
    ]  # fmt: skip
    assert [label for _, label in chart.ticks] == ["0", "1,000", "2,000", "3,000", "4,000"]
    assert [x for x, _ in chart.ticks] == [LABELS + room * part / 4 for part in range(5)]
    assert chart.series == [("series-0", "Revenue"), ("series-1", "Spend")]
    assert chart.groups[0].bars[1].y > chart.groups[0].bars[0].y
    assert chart.bottom > chart.groups[1].y


def test_scales_go_in_ones_twos_and_fives():
    def ticks(most):
        return [label for _, label in bar_chart("x", "x", ["x"], [("x", [most])]).ticks]

    assert ticks(1) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert ticks(0.04) == ["0.00", "0.01", "0.02", "0.03", "0.04"]
    assert ticks(23) == ["0", "5", "10", "15", "20", "25"]
    assert ticks(98_765) == ["0", "20,000", "40,000", "60,000", "80,000", "100,000"]


def test_of_nothing_there_is_no_chart():
    assert bar_chart("x", "x", ["x"], []) is None
    assert bar_chart("x", "x", ["x"], [("a", [0]), ("b", [None])]) is None
