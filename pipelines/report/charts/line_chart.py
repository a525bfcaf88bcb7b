"""A chart of lines."""

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.axes import Scale, label, padded_range, ticks
from etude.pipelines.report.charts.dot_plot import marker
from etude.pipelines.report.parts import number

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
      is_dashed: whether it stands back behind the others.
    """

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    has_markers: bool = False
    is_dashed: bool = False


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
    is_log: bool = False,
) -> Markup:
    """The chart as SVG.

    Args:
      lines: what to draw.
      x_axis: what x is.
      y_axis: what y is.
      description: what the chart shows.
      levels: horizontal lines.
      highest: lines leave the chart above this value; None shows all of them.
      x_ticks: where to mark x; None finds round numbers.
      is_log: whether x are logarithms to the base 10, of what is written beside the marks.
    """
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points] + [level.value for level in levels]
    low, high = padded_range(y if highest is None else min(y, highest) for y in ys)
    first, last = (min(xs), max(xs)) if xs else (0.0, 1.0)
    # What lies at the edges of a logarithmic axis, such as a single point, keeps its room.
    first, last = padded_range([first, last]) if is_log else (first, last)
    across = Scale(first, last if last > first else first + 1, _LEFT, WIDTH - _RIGHT)
    up = Scale(low, high, HEIGHT - _BOTTOM, _TOP)
    parts = _grid(across, up, x_ticks, x_axis, y_axis, is_log)
    for level in levels:
        y = up(level.value)
        # On the left, where losses are still above: their ends are on the right.
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="level"))
        parts.append(element("text", level.name, x=_LEFT + 4, y=y - 4, class_="tick"))
    parts += [_line(line, across, up) for line in lines]
    size = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *parts, viewBox=size, role="img", aria_label=description, class_="chart")


def key(style: str, has_marker: bool = True) -> Markup:
    """A piece of a line, for a legend."""
    line = element("line", x1=0, x2=24, y1=6, y2=6, class_="line")
    drawing = element("g", line, *([marker(style, 12, 6)] if has_marker else []), class_=style)
    return element("svg", drawing, viewBox="0 0 24 12", class_="key", aria_hidden="true")


def _grid(
    across: Scale, up: Scale, x_ticks: Sequence[float] | None, x_axis: str, y_axis: str, is_log: bool
) -> list[Markup]:
    parts = []
    for value in ticks(up.low, up.high):
        y = up(value)
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(element("text", label(value), x=_LEFT - 6, y=y + 4, class_="tick end"))
    for value in ticks(across.low, across.high) if x_ticks is None else x_ticks:
        shown = label(round(10**value, 6) if is_log else value)
        parts.append(element("text", shown, x=across(value), y=HEIGHT - _BOTTOM + 16, class_="tick middle"))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(element("text", x_axis, x=middle, y=HEIGHT - 8, class_="axis middle"))
    turned = f"rotate(-90 10 {HEIGHT / 2 - 10})"
    parts.append(element("text", y_axis, x=10, y=HEIGHT / 2 - 10, transform=turned, class_="axis middle"))
    return parts


def _line(line: Line, across: Scale, up: Scale) -> Markup:
    places = [(across(x), up(y)) for x, y in line.points]
    title = element("title", f"{line.name}: {number(line.points[-1][1])} at the end" if places else line.name)
    kind = "line thin" if line.has_markers else "line"
    path = element("polyline", points=" ".join(f"{x},{y}" for x, y in places), class_=kind)
    # The end is marked always: dashes alone are hard to tell apart.
    markers = [marker(line.style, x, y) for x, y in (places if line.has_markers else places[-1:])]
    return element("g", title, path, *markers, class_=f"{line.style} dashed" if line.is_dashed else line.style)
