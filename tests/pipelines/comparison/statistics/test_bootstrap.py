import numpy as np
import pytest
from scipy import stats

from etude.pipelines.comparison.statistics import bootstrap
from etude.pipelines.comparison.statistics.bootstrap import interval, resampled_sums, resampled_weights


def test_every_resample_holds_as_many_melodies():
    values = np.stack([np.ones(13), np.arange(13.0)], axis=1)
    sums = resampled_sums(values)
    assert sums.shape == (2000, 2)
    assert (sums[:, 0] == 13).all()
    assert sums[:, 1].std() > 0


def test_columns_are_drawn_together():
    values = np.random.default_rng(0).normal(size=(30, 1))
    assert resampled_sums(values) == pytest.approx(resampled_sums(np.hstack([values, values]))[:, 1:])


def test_parts_do_not_change_the_draws(monkeypatch):
    values = np.random.default_rng(0).normal(size=(30, 2))
    whole = resampled_sums(values, num_resamples=100)
    monkeypatch.setattr(bootstrap, "_MULTIPLICITIES_AT_ONCE", 100)
    assert resampled_sums(values, num_resamples=100) == pytest.approx(whole)


def test_interval_of_a_mean_agrees_with_scipy():
    values = np.random.default_rng(1).gamma(2.0, size=80)
    expected = stats.bootstrap((values,), np.mean, method="percentile", rng=2).confidence_interval
    low, high = interval(resampled_sums(values[:, None])[:, 0] / len(values))
    assert low == pytest.approx(expected.low, abs=0.04)
    assert high == pytest.approx(expected.high, abs=0.04)


def test_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        low, high = interval(resampled_sums(random.normal(5.0, 1.0, size=(60, 1)), num_resamples=500)[:, 0] / 60)
        held += low <= 5.0 <= high
    assert 0.90 <= held / 300 <= 0.98


def test_interval_of_what_is_no_number():
    assert interval(np.full(10, np.nan)) is None


def test_weights_of_seeds():
    weights = resampled_weights(3, stream=0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(2000))
    assert weights.mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.03)
    assert (resampled_weights(1, stream=5) == 1).all()
    assert not np.array_equal(weights, resampled_weights(3, stream=1))
