"""Stochastic search and Magenta's, from the same bundles: the path log-likelihoods of 200 melodies each."""

import json

import numpy as np
import pytest
from scipy.stats import ks_2samp

from models.generation import GenerationOptions, generate
from tests.models.conftest import MAGENTA

FIGURES = json.loads((MAGENTA / "generation.json").read_text())
SAMPLES = FIGURES["samples"]


def ours(model, sample, **changes):
    """Magenta's figure holds the primer's share."""
    settings = {name: sample[name] for name in ("temperature", "beam_size", "branch_factor")}
    options = GenerationOptions(
        num_outputs=len(sample["log_likelihood"]), num_steps=FIGURES["num_steps"], seed=1, **{**settings, **changes}
    )
    melodies = generate(model, FIGURES["primer"], options)
    return [melody.path_log_likelihood + melody.primer_log_likelihood for melody in melodies]


def p_value(first, second):
    """Of the two-sample Kolmogorov-Smirnov test; the log has six decimals, float32 fewer."""
    return ks_2samp(np.round(first, 2), np.round(second, 2)).pvalue


@pytest.mark.parametrize(
    "sample", SAMPLES, ids=lambda one: f"{one['config']}, beam {one['beam_size']}, temperature {one['temperature']}"
)
def test_path_log_likelihoods_have_one_distribution(sample, magenta_model):
    model = magenta_model(sample["config"])
    assert len(sample["log_likelihood"]) == 200
    p = p_value(ours(model, sample), sample["log_likelihood"])
    print(f"p-value {p:.3f}")
    assert p > 0.01


def test_the_test_tells_searches_apart(magenta_model):
    """A temperature a tenth higher, a branch more or less: each is seen."""
    model = magenta_model("basic_rnn")
    (plain,) = [one for one in SAMPLES if one["config"] == "basic_rnn" and one["beam_size"] == 1]
    for changes in ({"temperature": 1.1}, {"branch_factor": 2}, {"beam_size": 2}):
        assert p_value(ours(model, plain, **changes), plain["log_likelihood"]) < 0.001, changes
