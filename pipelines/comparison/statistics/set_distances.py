"""How alike two sets of melodies are, by the distances within and between them, and by their distributions.

Source: Yang and Lerch 2018: the distances between the melodies of one set, and those to the melodies of the other, are two
distributions (Gaussian kernels, Scott's rule); sets are alike where these have a small Kullback-Leibler divergence and a
large overlapping area.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial import distance

Values = npt.NDArray[np.float64]

GRID_POINTS = 500
_SMALLEST = 1e-12


class Similarity(NamedTuple):
    """How alike two distributions are.

    Attributes:
      divergence: Kullback-Leibler, in nats; 0 where they are the same.
      overlap: the area under both, from 0 to 1.
    """

    divergence: float
    overlap: float


def similarity_of_sets(reference: Values, other: Values) -> Similarity:
    """How the distances from `other` to `reference` compare with those within `reference`.

    Args:
      reference: a measure of each melody of a set, [melodies] or [melodies, size]; at least two.
      other: the same of another set.
    """
    within = _distances(reference, reference)[np.triu_indices(len(reference), k=1)]
    between = _distances(other, reference).ravel()
    return _similarity_of_samples(within, between)


def similarity_of_counts(reference: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> Similarity:
    """How two histograms over the same classes compare; half a count is added to each class.

    The divergence is that of `other` from `reference`.
    """
    p, q = (counts + 0.5 for counts in (other, reference))
    return _similarity(p / p.sum(), q / q.sum())


def kernel_density(samples: Values, points: Values) -> Values:
    """A density from samples by Gaussian kernels with Scott's bandwidth: at each of `points`, not normalised."""
    spread = float(samples.std(ddof=1)) if len(samples) > 1 else 0.0
    # Samples that are nearly the same get kernels as wide as a step of the grid.
    narrowest = float(points[1] - points[0])
    if spread == 0.0:
        return stats.norm.pdf(points, samples[0], narrowest)
    return stats.gaussian_kde(samples, max(len(samples) ** -0.2, narrowest / spread))(points)


def _similarity_of_samples(first: Values, second: Values) -> Similarity:
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    room = 0.1 * (high - low) or 1.0
    points = np.linspace(low - room, high + room, GRID_POINTS)
    p, q = (kernel_density(samples, points) for samples in (first, second))
    return _similarity(p / p.sum(), q / q.sum())


def _similarity(p: Values, q: Values) -> Similarity:
    divergence = stats.entropy(np.maximum(p, _SMALLEST), np.maximum(q, _SMALLEST))
    return Similarity(float(divergence), float(np.minimum(p, q).sum()))


def _distances(first: Values, second: Values) -> Values:
    """Euclidean distances, [first, second]."""
    return distance.cdist(*(values.reshape(len(values), -1) for values in (first, second)))
