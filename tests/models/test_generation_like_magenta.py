"""Stochastic search and Magenta's, from the same bundles: path log-likelihoods of 600 melodies and of 200.

`scripts/bench/search_agreement.py` makes such samples anew, and compares what the melodies are made of too.
"""

import json

import numpy as np
import pytest
from scipy.stats import ks_2samp

from etude.models.generation import GenerationOptions, generate
from etude.models.melodies.melody import metres
from etude.models.networks.network import log_softmax
from tests.models.conftest import MAGENTA

FIGURES = json.loads((MAGENTA / "generation.json").read_text())
SAMPLES = FIGURES["samples"]
OURS = 600


def ours(model, sample, **changes):
    settings = {name: sample[name] for name in ("temperature", "beam_size", "branch_factor", "num_steps")}
    options = GenerationOptions(num_outputs=OURS, seed=1, **{**settings, **changes})
    return [melody.path_log_likelihood for melody in generate(model, FIGURES["primer"], options)]


def magentas(model, sample):
    """Without the primer's share, which its figure holds at the temperature too."""
    events, bars = np.array([FIGURES["primer"]]), metres(16)
    logits = model.network.logits(model.encoding.inputs(events[:, :-1], bars))
    labels = model.encoding.labels(events, bars)[:, 1:]
    primer = np.take_along_axis(log_softmax(logits / sample["temperature"]), labels[..., None], axis=-1).sum()
    return np.array(sample["log_likelihood"]) - primer


def p_value(first, second):
    """Of the two-sample Kolmogorov-Smirnov test; the log has six decimals, float32 fewer."""
    return ks_2samp(np.round(first, 2), np.round(second, 2)).pvalue


@pytest.mark.parametrize(
    "sample", SAMPLES, ids=lambda one: f"{one['config']}, beam {one['beam_size']}, temperature {one['temperature']}"
)
def test_path_log_likelihoods_have_one_distribution(sample, magenta_model):
    model = magenta_model(sample["config"])
    assert len(sample["log_likelihood"]) == 200
    p = p_value(ours(model, sample), magentas(model, sample))
    print(f"p-value {p:.3f}")
    assert p > 0.001


def test_the_test_tells_searches_apart(magenta_model):
    """A temperature a tenth higher, a branch more or less: each is seen."""
    model = magenta_model("basic_rnn")
    (plain,) = [sample for sample in SAMPLES if sample["config"] == "basic_rnn" and sample["beam_size"] == 1]
    for changes in ({"temperature": 1.1}, {"branch_factor": 2}, {"beam_size": 2}):
        assert p_value(ours(model, plain, **changes), magentas(model, plain)) < 0.001, changes
    # At temperature 1 a wide beam finds the same few melodies again and again; warm, it does not.
    (warm,) = [sample for sample in SAMPLES if sample["config"] == "basic_rnn" and sample["temperature"] == 3]
    for changes in ({"temperature": 3.3}, {"branch_factor": 3}, {"beam_size": 6}):
        assert p_value(ours(model, warm, **changes), magentas(model, warm)) < 0.001, changes
