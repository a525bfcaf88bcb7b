"""A run becomes a model that comes with Etude: smaller, and all but equal."""

import numpy as np
import pytest

from etude.models.model import load
from etude.models.storage.run_directory import RunDirectory
from scripts.pretrain import publish
from tests.pipelines.trained_models import make_melody, trained

__all__ = ["trained"]


def test_a_run_is_published(trained, tmp_path):
    run = RunDirectory(trained.runs["lookback-0"])
    folder = publish("lookback", run, trained.dataset, tmp_path / "published")
    whole, half = load(run.path), load(folder)
    assert half.step == whole.step
    assert half.training_fingerprint == whole.training_fingerprint
    assert RunDirectory(folder).best.stat().st_size < 0.6 * run.best.stat().st_size
    for name, weight in whole.weights.items():
        np.testing.assert_allclose(half.weights[name], weight, rtol=2**-11, atol=2**-24)
        assert half.weights[name].dtype == np.float32
    melody = make_melody(np.random.default_rng(7), "one", 16).events
    (expected,), (found,) = whole.log_likelihood([melody]), half.log_likelihood([melody])
    assert found == pytest.approx(expected, rel=1e-2)
    card = (folder / "README.md").read_text()
    assert whole.training_fingerprint in card
    assert "| eval | 20 |" in card
