"""Where dots and lines fall, read back from the drawing by its own tick marks."""

from xml.etree import ElementTree

import numpy as np
import pytest

from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.report.charts.dot_plot import Dot, DotRow, dot_plot
from etude.pipelines.report.charts.line_chart import Level, Line, line_chart


def numbers(text):
    return float(text.replace("−", "-").replace(",", ""))


def fitted(places, values):
    """What a place on an axis means: the line through its tick marks, on which they all lie."""
    slope, start = np.polyfit(places, values, 1)
    assert np.polyval([slope, start], places) == pytest.approx(values, abs=1e-2 * np.ptp(values))
    return lambda place: slope * float(place) + start


def across(drawing):
    marks = [one for one in drawing.iter("text") if one.get("class") == "tick middle"]
    return fitted([float(mark.get("x")) for mark in marks], [numbers(mark.text) for mark in marks])


def up(drawing):
    marks = [one for one in drawing.iter("text") if one.get("class") == "tick end"]
    # The letters of a mark stand 4 units below the line that they belong to.
    return fitted([float(mark.get("y")) - 4 for mark in marks], [numbers(mark.text) for mark in marks])


def middle(shape):
    points = [tuple(map(float, point.split(","))) for point in shape.get("points").split()]
    return np.array(points)[:, 0].mean()


def test_dots_and_whiskers_fall_on_their_figures():
    estimates = [Estimate(1.586, (1.513, 1.66)), Estimate(-0.25, (-0.5, 0.1)), Estimate(2.0)]
    rows = [DotRow(f"row {n}", "", [Dot(f"dot {n}", f"series-{n}", one)]) for n, one in enumerate(estimates)]
    drawing = ElementTree.fromstring(dot_plot(rows, "nats", "A chart"))
    value = across(drawing)
    groups = [group for group in drawing.iter("g") if (group.get("class") or "").startswith("series")]
    places = [float(groups[0].find("circle").get("cx")), *(middle(group.find("polygon")) for group in groups[1:])]
    assert [value(place) for place in places] == pytest.approx([1.586, -0.25, 2.0], abs=0.02)
    for group, one in zip(groups[:2], estimates, strict=False):
        whisker = group.find("line")
        assert [value(whisker.get("x1")), value(whisker.get("x2"))] == pytest.approx(one.interval, abs=0.02)
    assert groups[2].find("line") is None


def test_dots_of_one_row_do_not_hide_each_other():
    dots = [Dot(str(n), "series-0", Estimate(1.0)) for n in range(3)]
    drawing = ElementTree.fromstring(dot_plot([DotRow("row", "", dots)], "nats", "A chart"))
    heights = [float(circle.get("cy")) for circle in drawing.iter("circle")]
    assert min(np.diff(heights)) > 0


def test_a_figure_that_is_not_there_has_no_dot():
    rows = [DotRow("row", "", [Dot("a", "series-0", Estimate(None)), Dot("b", "series-0", Estimate(1.0))])]
    drawing = ElementTree.fromstring(dot_plot(rows, "nats", "A chart"))
    assert [group.find("title").text for group in drawing.iter("g")] == ["b: 1.000"]


def test_lines_and_levels_fall_on_their_figures():
    points = [(50.0, 2.25), (100.0, 1.75), (150.0, 1.5)]
    drawing = ElementTree.fromstring(
        line_chart([Line("a", "series-0", points)], "steps", "nats", "A chart", [Level("bigram", 1.94)])
    )
    x, y = across(drawing), up(drawing)
    drawn = [tuple(map(float, point.split(","))) for point in drawing.find(".//polyline").get("points").split()]
    assert [x(one) for one, _ in drawn] == pytest.approx([50, 100, 150], abs=0.5)
    assert [y(one) for _, one in drawn] == pytest.approx([2.25, 1.75, 1.5], abs=0.01)
    (level,) = [line for line in drawing.iter("line") if line.get("class") == "level"]
    assert y(level.get("y1")) == pytest.approx(1.94, abs=0.01)
    marker = drawing.find(".//circle")
    assert (x(marker.get("cx")), y(marker.get("cy"))) == pytest.approx((150, 1.5), abs=0.5)


def test_what_is_above_the_highest_leaves_the_chart():
    line = Line("a", "series-0", [(1.0, 50.0), (2.0, 2.0), (3.0, 1.0)])
    drawing = ElementTree.fromstring(line_chart([line], "steps", "nats", "A chart", highest=2.5))
    heights = [float(point.split(",")[1]) for point in drawing.find(".//polyline").get("points").split()]
    assert heights[0] == min(heights)
    assert up(drawing)(heights[0]) < 3
