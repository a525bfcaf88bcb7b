"""Is one model better than another, or is it chance? A paired test on the melodies that both predicted."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

EXACT_UP_TO = 14
"""With so few melodies all 2^n signs are tried."""

NUM_SAMPLES = 9999
ALPHA = 0.05
_SEED = 20160602
_SIGNS_AT_ONCE = 1 << 22


@dataclasses.dataclass(frozen=True)
class TestResult:
    """The result of a sign-flip test.

    Attributes:
      p_value: two-sided.
      is_exact: whether all signs were tried, or a sample of them.
    """

    __test__ = False  # pytest: this is no test class

    p_value: float
    is_exact: bool


def sign_flip_test(differences: npt.NDArray[np.float64], seed: int = _SEED) -> TestResult:
    """A permutation test: if neither model is better, every melody's difference could as well have the other sign.

    Source: Fisher 1935; the sampled p-value counts the observed signs too (Phipson and Smyth 2010).

    Args:
      differences: of the two models' log-likelihoods, [melodies]. Every melody counts with all its steps, so that this
        tests the difference in nats a step over the whole split.
      seed: of the sampled signs.
    """
    observed = abs(differences.sum())
    tolerance = 1e-12 * np.abs(differences).sum()
    count = len(differences)
    if count <= EXACT_UP_TO:
        signs = 1 - 2 * (np.arange(1 << count)[:, None] >> np.arange(count) & 1)
        return TestResult(float(np.mean(np.abs(signs @ differences) >= observed - tolerance)), True)
    random = np.random.default_rng(seed)
    at_once = max(1, _SIGNS_AT_ONCE // count)
    extreme = 0
    for start in range(0, NUM_SAMPLES, at_once):
        rows = min(at_once, NUM_SAMPLES - start)
        flipped = random.integers(2, size=(rows, count), dtype=np.int8) @ differences
        extreme += int(np.count_nonzero(np.abs(differences.sum() - 2 * flipped) >= observed - tolerance))
    return TestResult((1 + extreme) / (1 + NUM_SAMPLES), False)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for the number of tests, in the given order. Source: Holm 1979."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in corrected]
