import itertools

import pytest

from etude.pipelines.report.charts.axes import Scale, padded_range, ticks


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
