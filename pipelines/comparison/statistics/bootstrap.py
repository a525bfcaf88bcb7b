"""Bootstrap over melodies: how much a figure would change with other melodies of the same kind.

Source: Efron 1979; percentile intervals. Every call with the same number of melodies draws the same melodies, so that
figures of different models can be compared resample by resample.
"""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

NUM_RESAMPLES = 2000
CONFIDENCE = 0.95
_SEED = 20160601
_MULTIPLICITIES_AT_ONCE = 1 << 22


def resampled_sums(values: Values, num_resamples: int = NUM_RESAMPLES, seed: int = _SEED) -> Values:
    """Sums over melodies that are drawn with replacement.

    Args:
      values: [melodies, columns].
      num_resamples: how often to draw.
      seed: of the draws.

    Returns:
      [num_resamples, columns].
    """
    random = np.random.default_rng(seed)
    num_melodies = len(values)
    at_once = max(1, min(num_resamples, _MULTIPLICITIES_AT_ONCE // max(num_melodies, 1)))
    parts = []
    for start in range(0, num_resamples, at_once):
        rows = min(at_once, num_resamples - start)
        drawn = random.integers(num_melodies, size=(rows, num_melodies)) + num_melodies * np.arange(rows)[:, None]
        multiplicities = np.bincount(drawn.ravel(), minlength=rows * num_melodies).reshape(rows, num_melodies)
        parts.append(multiplicities @ values)
    return np.concatenate(parts)


def resampled_weights(num_seeds: int, stream: int, num_resamples: int = NUM_RESAMPLES) -> Values:
    """The weight of each seed where seeds, too, are drawn with replacement: [num_resamples, num_seeds], rows sum to 1.

    Args:
      num_seeds: runs of one configuration that differ in their seed alone.
      stream: a number of its own for every configuration, so that their seeds are drawn independently.
      num_resamples: how often to draw.
    """
    random = np.random.default_rng([_SEED, stream])
    drawn = random.integers(num_seeds, size=(num_resamples, num_seeds)) + num_seeds * np.arange(num_resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=num_resamples * num_seeds).reshape(num_resamples, num_seeds)
    return counts / num_seeds


def interval(resampled: Values) -> tuple[float, float] | None:
    """The middle 95% of a figure's resampled values, [num_resamples]; None where they are not numbers."""
    finite = resampled[np.isfinite(resampled)]
    if not finite.size:
        return None
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(finite, [tail, 100 - tail])
    return float(low), float(high)
