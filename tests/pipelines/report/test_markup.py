import itertools

import pytest

from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.charts.axes import Scale, padded_range, ticks
from etude.pipelines.report.markup import estimate, number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (1.23456, "1.235"),
        (-0.5, "−0.500"),
        (6334.2, "6,334"),
        (2.8e10, "2.8 × 10¹⁰"),
        (-3e5, "−3.0 × 10⁵"),
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected


def test_estimates():
    assert estimate(Estimate(0.25, (0.2, 0.3)), as_percentage=True) == "25.0 % <small>20.0 % to 30.0 %</small>"
    assert estimate(Estimate(None)) == "–"


def test_attributes_are_escaped():
    assert element("p", "text", title='<"&', class_="a", data_x=None) == '<p title="&lt;&quot;&amp;" class="a">text</p>'


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (1.52, 2.61), (-3.0, 250.0), (5.0, 5.0)])
def test_ticks_are_round_and_inside(low, high):
    found = ticks(*padded_range([low, high]))
    assert 2 <= len(found) <= 12
    steps = {round(b - a, 9) for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
    (step,) = steps
    assert float(f"{step:e}".partition("e")[0]) in (1.0, 2.0, 5.0)


def test_scale_keeps_within_its_ends():
    scale = Scale(0.0, 2.0, 10.0, 110.0)
    assert [scale(value) for value in (-1.0, 0.0, 1.0, 5.0)] == [10.0, 10.0, 60.0, 110.0]
