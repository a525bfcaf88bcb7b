import math

import numpy as np
import pytest

from etude.models.evaluation.figures import figures, report, token_figures
from etude.models.evaluation.statistics import Sums

SUMS = Sums(
    {
        "num_steps": np.array([4.0, 6.0]),
        "log_likelihood": np.array([-4.0, -11.0]),
        "inverse_probability": np.array([10.0, 40.0]),
        "correct": np.array([1.0, 4.0]),
        "token_log_likelihood": np.array([-2.0, -6.0]),
        "token_correct": np.array([2.0, 5.0]),
        "no_event:num": np.array([2.0, 3.0]),
        "no_event:correct": np.array([1.0, 2.0]),
        "note:num": np.array([1.0, 3.0]),
        "note:log_likelihood": np.array([-1.5, -4.5]),
        "note:correct": np.array([0.0, 1.0]),
    }
)


def without(*kinds):
    return Sums({name: values for name, values in SUMS.values.items() if name.split(":")[0] not in kinds})


def test_figures_of_melodies():
    assert report(SUMS.totals(), "event") == {
        "num_melodies": 2,
        "num_steps": 10,
        "num_notes": 4,
        "log_likelihood": pytest.approx(-7.5),
        "label": {
            "loss": pytest.approx(1.5),
            "perplexity": pytest.approx(math.exp(1.5)),
            "accuracy": pytest.approx(0.5),
            "event_accuracy": pytest.approx(2 / 5),
            "no_event_accuracy": pytest.approx(3 / 5),
            "mean_inverse_probability": pytest.approx(5.0),
        },
        "event": {
            "loss": pytest.approx(0.8),
            "perplexity": pytest.approx(math.exp(0.8)),
            "accuracy": pytest.approx(0.7),
            "log_likelihood": pytest.approx(-4.0),
            "bits_per_step": pytest.approx(0.8 / math.log(2)),
            "bits_per_note": pytest.approx(8 / math.log(2) / 4),
        },
    }


def test_figures_of_tokens():
    found = report(without("no_event").totals(), "token")
    assert list(found) == ["num_sequences", "num_steps", "num_notes", "log_likelihood", "label", "token", "note"]
    assert found["label"].keys() == {"loss", "perplexity", "accuracy", "mean_inverse_probability"}
    assert found["token"] == report(SUMS.totals(), "event")["event"]
    assert found["note"] == {
        "loss": pytest.approx(6 / 4),
        "perplexity": pytest.approx(math.exp(6 / 4)),
        "accuracy": pytest.approx(1 / 4),
        "bits_per_note": pytest.approx(8 / math.log(2) / 4),
    }
    assert token_figures(found) == found["token"]
    assert token_figures(report(SUMS.totals(), "event"))["loss"] == pytest.approx(0.8)


def test_figures_are_there_where_their_sums_are():
    found = report(without("no_event", "note").totals(), "token")
    assert list(found) == ["num_sequences", "num_steps", "log_likelihood", "label", "token"]
    assert "bits_per_note" not in found["token"]


def test_figures_of_many_sums_at_once_are_those_of_each():
    totals = {name: np.stack([values, 2 * values]) for name, values in SUMS.whole().items()}
    found = figures(totals, "event")
    for column in range(2):
        alone = figures({name: values[1, column] for name, values in totals.items()}, "event")
        for name, value in alone.items():
            assert found[name][1, column] == pytest.approx(float(value)), name


def test_accuracies_over_no_steps_are_zero():
    nothing = Sums({**SUMS.values, **dict.fromkeys(("no_event:num", "no_event:correct", "note:num"), np.zeros(2))})
    found = report(nothing.totals(), "event")
    assert found["label"]["no_event_accuracy"] == 0
    assert found["event"]["bits_per_note"] == 0


def test_figures_over_no_steps_are_no_numbers():
    found = figures({name: np.zeros(()) for name in SUMS.whole()}, "event")
    assert np.isnan(found["event.loss"])
    assert np.isnan(found["event.accuracy"])


def test_a_perplexity_too_large_for_a_number_is_infinite():
    unlikely = Sums({**SUMS.values, "log_likelihood": np.array([-1e6, -1e6])})
    assert report(unlikely.totals(), "event")["label"]["perplexity"] == math.inf
