"""A chart of figures with their intervals: one row a thing, one dot a figure."""

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.axes import Scale, label, padded_range, ticks
from etude.pipelines.report.parts import number

WIDTH = 400
_ROW = 36
_DODGE = 6
_LEFT, _RIGHT, _BOTTOM = 8, 8, 34


@dataclasses.dataclass(frozen=True)
class Dot:
    """A figure in a row.

    Attributes:
      name: what it is of.
      style: the class of its colour and shape: "series-0" and so on, or "baseline".
      estimate: the figure.
    """

    name: str
    style: str
    estimate: Estimate


@dataclasses.dataclass(frozen=True)
class DotRow:
    """A row: its label, a remark at its right end, and its dots."""

    label: str
    remark: str
    dots: Sequence[Dot]


def dot_plot(rows: Sequence[DotRow], axis: str, description: str) -> Markup:
    """The chart as SVG; `axis` says what is measured, `description` what the chart shows."""
    row_height = _ROW + _DODGE * (max(len(row.dots) for row in rows) - 1)
    dots = [dot for row in rows for dot in row.dots if dot.estimate.value is not None]
    values = [value for dot in dots for value in (dot.estimate.value or 0.0, *(dot.estimate.interval or ()))]
    low, high = padded_range(values)
    scale = Scale(low, high, _LEFT, WIDTH - _RIGHT)
    bottom = len(rows) * row_height + 4
    parts = []
    for value in ticks(low, high):
        x = scale(value)
        parts.append(element("line", x1=x, x2=x, y1=0, y2=bottom, class_="grid"))
        parts.append(element("text", label(value), x=x, y=bottom + 14, class_="tick middle"))
    parts.append(element("text", axis, x=WIDTH / 2, y=bottom + 29, class_="axis middle"))
    for index, row in enumerate(rows):
        top = index * row_height
        parts.append(element("text", row.label, x=_LEFT, y=top + 14, class_="row-label"))
        parts.append(element("text", row.remark, x=WIDTH - _RIGHT, y=top + 14, class_="row-remark end"))
        # Dots of one row stand a little below each other, so that none hides another.
        first = top + row_height - 10 - _DODGE * (len(row.dots) - 1)
        parts += [
            _dot(dot, scale, first + _DODGE * place)
            for place, dot in enumerate(row.dots)
            if dot.estimate.value is not None
        ]
    size = f"0 0 {WIDTH} {bottom + _BOTTOM}"
    return element("svg", *parts, viewBox=size, role="img", aria_label=description, class_="chart")


def marker(style: str, x: float, y: float) -> Markup:
    """A dot whose shape, too, tells the series, for those who do not see its colour."""
    shape = int(style.removeprefix("series-")) % 4 if style.startswith("series-") else -1
    if shape == 0:
        return element("circle", cx=x, cy=y, r=4.5)
    size = 4.5
    points = {
        1: [(-size, -size), (size, -size), (size, size), (-size, size)],
        2: [(0, -size * 1.3), (size * 1.2, size), (-size * 1.2, size)],
        3: [(0, -size * 1.35), (size * 1.35, 0), (0, size * 1.35), (-size * 1.35, 0)],
        -1: [(-1.2, -size), (1.2, -size), (1.2, size), (-1.2, size)],
    }[shape]
    return element("polygon", points=" ".join(f"{x + dx:.4g},{y + dy:.4g}" for dx, dy in points))


def key(style: str) -> Markup:
    """The marker of a series beside a name; it says nothing that the name does not."""
    drawing = element("g", marker(style, 7, 7), class_=style)
    return element("svg", drawing, viewBox="0 0 14 14", class_="swatch", aria_hidden="true")


def _dot(dot: Dot, scale: Scale, y: float) -> Markup:
    value = dot.estimate.value or 0.0
    bounds = dot.estimate.interval
    description = f"{dot.name}: {number(value)}" + (f" ({number(bounds[0])} to {number(bounds[1])})" if bounds else "")
    parts = [element("title", description)]
    if bounds:
        parts.append(element("line", x1=scale(bounds[0]), x2=scale(bounds[1]), y1=y, y2=y, class_="whisker"))
    return element("g", *parts, marker(dot.style, scale(value), y), class_=dot.style)
