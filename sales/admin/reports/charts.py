"""Bar charts for reports, worked out here and drawn by a template as SVG: no script, no inline style."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, LABELS, VALUES = 760, 190, 90  # of the whole, of the names at the left, of the numbers at the right
BAR, GAP, TOP, BOTTOM = 14, 12, 12, 44
TICKS = 5


@dataclass(frozen=True)
class Bar:
    css: str
    y: float
    width: float
    text: str
    text_x: float

    @property
    def middle(self) -> float:
        return self.y + BAR / 2 - 1


@dataclass(frozen=True)
class Group:
    name: str
    y: float
    bars: list[Bar]


@dataclass(frozen=True)
class Chart:
    """Horizontal bars: a group for each row, a bar for each series; numbers beside them, a scale below."""

    title: str
    unit: str
    series: list[tuple[str, str]]  # how each is drawn, and what it is
    groups: list[Group]
    ticks: list[tuple[float, str]]
    height: float
    left: int = LABELS
    width: int = WIDTH
    thickness: int = BAR - 2

    @property
    def bottom(self) -> float:
        return self.height - BOTTOM

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
        return (LABELS + WIDTH - VALUES) / 2


def bar_chart(
    title: str,
    unit: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, Sequence[float | None]]],
    text_of: Callable[[float], str] | None = None,
) -> Chart | None:
    """A chart of `rows`: a name, and a number (0 or more; None: not known) for each of the series. None of no rows.

    `text_of` says how a number is written; without it, with as many digits as the scale has.
    """
    most = max((value for _, values in rows for value in values if value is not None), default=0)
    if not rows or most <= 0:
        return None
    step = _nice(most / TICKS)
    scale = (WIDTH - LABELS - VALUES) / (step * math.ceil(most / step))
    tall, digits = len(series) * BAR, _digits(step)
    write = text_of or (lambda value: f"{value:,.{digits}f}")
    groups = []
    for number, (name, values) in enumerate(rows):
        top = TOP + number * (tall + GAP)
        bars = [
            Bar(f"series-{place}", top + place * BAR, value * scale, write(value), LABELS + value * scale + 6)
            for place, value in enumerate(values)
            if value is not None
        ]
        groups.append(Group(name, top + tall / 2, bars))
    ticks = [(LABELS + number * step * scale, write(number * step)) for number in range(math.ceil(most / step) + 1)]
    names = [(f"series-{place}", name) for place, name in enumerate(series)]
    return Chart(title, unit, names, groups, ticks, TOP + len(rows) * (tall + GAP) + BOTTOM)


def _nice(step: float) -> float:
    """The next of 1, 2, 5, 10, 20, … that is no less."""
    power = 10 ** math.floor(math.log10(step))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999999))


def _digits(step: float) -> int:
    return 0 if step >= 1 else -math.floor(math.log10(step))
