import itertools

import numpy as np
import pytest
from scipy import stats

from etude.pipelines.comparison.statistics.set_distances import (
    GRID_POINTS,
    kernel_density,
    similarity_of_counts,
    similarity_of_sets,
)

RANDOM = np.random.default_rng(0)


def density_by_loops(samples, points, bandwidth):
    kernels = np.exp(-0.5 * ((points[:, None] - samples) / bandwidth) ** 2)
    return kernels.sum(axis=1) / kernels.sum()


def test_density_has_gaussian_kernels_of_scotts_width():
    samples = RANDOM.gamma(2.0, size=60)
    points = np.linspace(-2, 12, GRID_POINTS)
    found = kernel_density(samples, points)
    expected = density_by_loops(samples, points, samples.std(ddof=1) * 60 ** (-1 / 5))
    assert found / found.sum() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("samples", [[3.0], [3.0] * 5, [3.0, 3.0, 3.0001]])
def test_kernels_are_not_narrower_than_the_grid(samples):
    points = np.linspace(0, 10, GRID_POINTS)
    found = kernel_density(np.array(samples), points)
    expected = density_by_loops(np.array(samples), points, points[1])
    assert found / found.sum() == pytest.approx(expected, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("shape", [(), (4,)])
def test_similarity_by_loops(shape):
    reference, other = RANDOM.normal(size=(12, *shape)), RANDOM.normal(0.7, 1.3, size=(9, *shape))
    within = [np.linalg.norm(a - b) for a, b in itertools.combinations(reference, 2)]
    between = [np.linalg.norm(a - b) for a in other for b in reference]
    low, high = min(within + between), max(within + between)
    points = np.linspace(low - 0.1 * (high - low), high + 0.1 * (high - low), GRID_POINTS)
    p, q = (stats.gaussian_kde(values)(points) for values in (within, between))
    p, q = p / p.sum(), q / q.sum()
    found = similarity_of_sets(reference, other)
    assert found.overlap == pytest.approx(np.minimum(p, q).sum(), rel=1e-6)
    assert found.divergence == pytest.approx(stats.entropy(p, q), rel=1e-3)


def test_sets_of_one_kind_are_alike_and_others_are_not():
    reference, same, other = (RANDOM.normal(mean, 1.0, size=80) for mean in (0, 0, 4))
    assert similarity_of_sets(reference, same).overlap > 0.9
    assert similarity_of_sets(reference, same).divergence < 0.05
    assert similarity_of_sets(reference, other).overlap < 0.5
    assert similarity_of_sets(reference, other).divergence > 1


def test_sets_without_any_difference():
    found = similarity_of_sets(np.ones(5), np.ones(3))
    assert found.overlap == pytest.approx(1)
    assert found.divergence == pytest.approx(0, abs=1e-9)


def test_similarity_of_counts():
    reference, other = np.array([10, 0, 30]), np.array([5, 5, 0])
    p, q = np.array([5.5, 5.5, 0.5]) / 11.5, np.array([10.5, 0.5, 30.5]) / 41.5
    found = similarity_of_counts(reference, other)
    assert found.divergence == pytest.approx(stats.entropy(p, q))
    assert found.overlap == pytest.approx(np.minimum(p, q).sum())
