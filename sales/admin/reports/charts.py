"""Bar charts for reports. The layout is computed here, and a template draws it as SVG without scripts or styles."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# In units of the SVG: the whole chart, the names on the left, and the numbers on the right.
WIDTH, NAMES_WIDTH, NUMBERS_WIDTH = 760, 190, 90
BAR_HEIGHT, GROUP_GAP, TOP_MARGIN, BOTTOM_MARGIN = 14, 12, 12, 44
MAX_TICKS = 5


@dataclass(frozen=True)
class Bar:
    css: str
    y: float
    width: float
    label: str
    label_x: float

    @property
    def middle(self) -> float:
        return self.y + BAR_HEIGHT / 2 - 1


@dataclass(frozen=True)
class Group:
    """The bars of one row of the report."""

    name: str
    y: float
    bars: list[Bar]


@dataclass(frozen=True)
class Legend:
    css: str
    label: str


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Horizontal bars: a group for each row, a bar for each series, numbers beside the bars and an axis below."""

    title: str
    unit: str
    legends: list[Legend]
    groups: list[Group]
    ticks: list[Tick]
    height: float
    left: int = NAMES_WIDTH
    width: int = WIDTH
    bar_height: int = BAR_HEIGHT - 2

    @property
    def bottom(self) -> float:
        return self.height - BOTTOM_MARGIN

    @property
    def names_x(self) -> int:
        return self.left - 8

    @property
    def ticks_y(self) -> float:
        return self.bottom + 16

    @property
    def unit_y(self) -> float:
        return self.height - 6

    @property
    def middle(self) -> float:
        return (NAMES_WIDTH + WIDTH - NUMBERS_WIDTH) / 2


def build_bar_chart(
    title: str,
    unit: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None]]],
    write: Callable[[float], str] | None = None,
) -> Chart | None:
    """Lay out a chart of `rows`: a name, and a number (0 or more; None if unknown) for each of the series.

    `write` turns a number into a label; without it, labels have as many decimals as the axis needs. Returns None if
    there is nothing to draw.
    """
    highest = max((value for _, values in rows for value in values if value is not None), default=0)
    if highest <= 0:
        return None
    step = _round_up_step(highest / MAX_TICKS)
    steps = math.ceil(highest / step)
    scale = (WIDTH - NAMES_WIDTH - NUMBERS_WIDTH) / (step * steps)
    group_height, decimals = len(series) * BAR_HEIGHT, _count_decimals(step)
    write = write or (lambda value: f"{value:,.{decimals}f}")
    groups = []
    for number, (name, values) in enumerate(rows):
        top = TOP_MARGIN + number * (group_height + GROUP_GAP)
        bars = [
            Bar(_get_css(place), top + place * BAR_HEIGHT, value * scale, write(value), NAMES_WIDTH + value * scale + 6)
            for place, value in enumerate(values)
            if value is not None
        ]
        groups.append(Group(name, top + group_height / 2, bars))
    ticks = [Tick(NAMES_WIDTH + number * step * scale, write(number * step)) for number in range(steps + 1)]
    legends = [Legend(_get_css(place), label) for place, label in enumerate(series)]
    height = TOP_MARGIN + len(rows) * (group_height + GROUP_GAP) + BOTTOM_MARGIN
    return Chart(title, unit, legends, groups, ticks, height)


def _get_css(place: int) -> str:
    return f"series-{place}"


def _round_up_step(step: float) -> float:
    """The smallest of …, 1, 2, 5, 10, 20, 50, … that is at least `step`."""
    power = 10 ** math.floor(math.log10(step))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999999))


def _count_decimals(step: float) -> int:
    return 0 if step >= 1 else -math.floor(math.log10(step))
