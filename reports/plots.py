"""Lines over nights as geometry: a field of 1000 by 300 that a template draws and stretches to any width."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fixtures.record.past import Figures
from reports.trend import Night

WIDTH, HEIGHT = 1000, 300


@dataclass(frozen=True)
class Dot:
    """One night's value; `tone` is the outcome whose colour it has."""

    x: float
    y: float
    tone: str


@dataclass(frozen=True)
class Tick:
    """A figure on the upright axis, and how far from the top it stands, in percent."""

    label: str
    top: float


@dataclass(frozen=True)
class Line:
    """One quantity over the nights: `path` and `target` as SVG path data; `missed` are the places of missed nights.

    `shown` counts the nights whose value is known."""

    path: str
    target: str
    dots: tuple[Dot, ...]
    missed: tuple[float, ...]
    step: float
    ticks: tuple[Tick, ...]
    shown: int


def line(
    nights: Sequence[Night],
    value: Callable[[Figures], float | None],
    spell: Callable[[float], str],
    target: Callable[[Figures], float | None] = lambda figures: None,
    *,
    octets: bool = False,
) -> Line:
    """The line of one figure from zero upwards; a night without it leaves a gap."""
    values = [value(night.figures) if night.figures is not None else None for night in nights]
    targets = [target(night.figures) if night.figures is not None else None for night in nights]
    most = max((each for each in (*values, *targets) if each is not None), default=0)
    top = _round_up(most, _BINARY, 1024) if octets else _round_up(most, _DECIMAL, 1000)
    step = WIDTH / max(len(nights), 1)

    def x(place: int) -> float:
        return round(step * (place + 0.5), 1)

    def y(each: float) -> float:
        return round(HEIGHT * (1 - each / top), 1)

    dots = [Dot(x(place), y(each), nights[place].tone) for place, each in enumerate(values) if each is not None]
    return Line(
        path=_path([(x(place), y(each)) if each is not None else None for place, each in enumerate(values)]),
        target=_steps([y(each) if each is not None else None for each in targets], step),
        dots=tuple(dots),
        missed=tuple(round(step * place, 1) for place, night in enumerate(nights) if night.verdict is None),
        step=round(step, 1),
        ticks=tuple(Tick(spell(top * part), round(100 * (1 - part), 1)) for part in (1, 0.5, 0)),
        shown=len(dots),
    )


_DECIMAL = tuple(each * ten for ten in (1, 10, 100) for each in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8))
_BINARY = tuple(2.0**power for power in range(10))


def _round_up(most: float, steps: tuple[float, ...], thousand: int) -> float:
    """The end of an axis: a round figure with a round half, a little above the greatest that is shown."""
    if most <= 0:
        return 1.0
    power = float(thousand) ** math.floor(math.log(most, thousand))
    return next(each * power for each in (*steps, thousand, 2 * thousand) if each * power >= most * 1.04)


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    parts = []
    drawing = False
    for point in points:
        if point is not None:
            parts.append(f"{'L' if drawing else 'M'}{point[0]:g} {point[1]:g}")
        drawing = point is not None
    return "".join(parts)


def _steps(heights: Sequence[float | None], step: float) -> str:
    """One level stroke for each run of nights with the same height."""
    parts = []
    place = 0
    for height, same in groupby(heights):
        count = len(list(same))
        if height is not None:
            parts.append(f"M{round(step * place, 1):g} {height:g}h{round(step * count, 1):g}")
        place += count
    return "".join(parts)
