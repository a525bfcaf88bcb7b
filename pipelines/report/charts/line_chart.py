"""A chart of lines."""

import dataclasses
from collections.abc import Sequence

from etude.pipelines.report.charts.axes import Scale, label, padded_range, ticks
from etude.pipelines.report.charts.dot_plot import marker
from etude.pipelines.report.markup import element, escape, number

WIDTH, HEIGHT = 400, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 10, 40


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of points.

    Attributes:
      name: what it shows.
      style: the class of its colour and dashes.
      points: (x, y), in the order of x.
      has_markers: whether every point is marked, not the last alone.
    """

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    has_markers: bool = False


@dataclasses.dataclass(frozen=True)
class Level:
    """A horizontal line to compare with."""

    name: str
    value: float


def line_chart(
    lines: Sequence[Line],
    x_axis: str,
    y_axis: str,
    description: str,
    levels: Sequence[Level] = (),
    highest: float | None = None,
    x_ticks: Sequence[float] | None = None,
) -> str:
    """The chart as SVG.

    Args:
      lines: what to draw.
      x_axis: what x is.
      y_axis: what y is.
      description: what the chart shows.
      levels: horizontal lines.
      highest: lines leave the chart above this value; None shows all of them.
      x_ticks: where to mark x; None finds round numbers.
    """
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points] + [level.value for level in levels]
    low, high = padded_range(y if highest is None else min(y, highest) for y in ys)
    first, last = (min(xs), max(xs)) if xs else (0.0, 1.0)
    across = Scale(first, last if last > first else first + 1, _LEFT, WIDTH - _RIGHT)
    up = Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    parts = [element("title", escape(description)), _grid(across, up, x_ticks, x_axis, y_axis)]
    for level in levels:
        y = up(level.value)
        # On the left, where losses are still above: their ends are on the right.
        text = element("text", escape(level.name), x=_LEFT + 4, y=y - 4, class_="tick")
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="level") + text)
    parts += [_line(line, across, up) for line in lines]
    size = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", "".join(parts), viewBox=size, role="img", aria_label=description, class_="chart")


def legend(names: Sequence[tuple[str, str]]) -> str:
    """What colours and shapes stand for: names with their classes."""
    configurations = []
    for name, style in names:
        line = element("line", x1=0, x2=24, y1=6, y2=6, class_="line")
        key = element("svg", element("g", line + marker(style, 12, 6), class_=style), viewBox="0 0 24 12", class_="key")
        configurations.append(element("li", key.replace("<svg", '<svg aria-hidden="true"', 1) + escape(name)))
    return element("ul", "".join(configurations), class_="legend")


def _grid(across: Scale, up: Scale, x_ticks: Sequence[float] | None, x_axis: str, y_axis: str) -> str:
    parts = []
    for value in ticks(up.low, up.high):
        y = up(value)
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(element("text", label(value), x=_LEFT - 6, y=y + 4, class_="tick end"))
    for value in ticks(across.low, across.high) if x_ticks is None else x_ticks:
        parts.append(element("text", label(value), x=across(value), y=HEIGHT - _BOTTOM + 16, class_="tick middle"))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(element("text", escape(x_axis), x=middle, y=HEIGHT - 8, class_="axis middle"))
    turned = f"rotate(-90 10 {HEIGHT / 2 - 10})"
    parts.append(element("text", escape(y_axis), x=10, y=HEIGHT / 2 - 10, transform=turned, class_="axis middle"))
    return "".join(parts)


def _line(line: Line, across: Scale, up: Scale) -> str:
    places = [(across(x), up(y)) for x, y in line.points]
    title = element("title", escape(f"{line.name}: {number(line.points[-1][1])} at the end" if places else line.name))
    kind = "line thin" if line.has_markers else "line"
    path = element("polyline", points=" ".join(f"{x},{y}" for x, y in places), class_=kind)
    # The end is marked always: dashes alone are hard to tell apart.
    markers = "".join(marker(line.style, x, y) for x, y in (places if line.has_markers else places[-1:]))
    return element("g", title + path + markers, class_=line.style)
