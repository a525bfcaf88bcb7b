import json

import pytest

from etude.models.registry import configure, make_domain
from etude.pipelines.comparison.music.generated_sets import _example

BASIC = configure("basic")
LINE = {
    "file": "basic-01.mid",
    "events": [60, -2],
    "num_primer_events": 1,
    "log_likelihood": -1.0,
    "event_log_likelihood": -1.0,
    "path_log_likelihood": None,
    "qpm": 120,
}


def test_a_line_is_an_example():
    example = _example(LINE, BASIC, make_domain(BASIC))
    assert (example.events.tolist(), example.steps_per_bar, example.qpm) == ([60, -2], 16, 120.0)


@pytest.mark.parametrize("name", ["log_likelihood", "event_log_likelihood", "path_log_likelihood", "qpm"])
@pytest.mark.parametrize("value", ["[]", '"a"', "{}", "NaN", "1e999"])
def test_a_figure_that_is_none_is_refused(name, value):
    with pytest.raises((TypeError, ValueError)):
        _example({**LINE, name: json.loads(value)}, BASIC, make_domain(BASIC))


@pytest.mark.parametrize("steps", [0, -4])
def test_bars_have_steps(steps):
    with pytest.raises(ValueError, match="bars of"):
        _example({**LINE, "steps_per_bar": steps}, BASIC, make_domain(BASIC))
