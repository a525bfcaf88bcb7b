"""Is one model better than another, or is it chance? A paired test on the melodies that both predicted."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

EXACT_UP_TO = 13
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
    if len(differences) < 2:
        return TestResult(1.0, True)
    found = stats.permutation_test(
        (differences,),
        lambda values, axis: np.abs(values.sum(axis=axis)),
        permutation_type="samples",
        alternative="greater",
        n_resamples=NUM_SAMPLES,
        batch=max(1, _SIGNS_AT_ONCE // len(differences)),
        rng=np.random.default_rng(seed),
    )
    return TestResult(float(found.pvalue), len(differences) <= EXACT_UP_TO)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for the number of tests, in the given order. Source: Holm 1979."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in corrected]
