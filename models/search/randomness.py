"""Random numbers that depend on what they are for, not on what was drawn before."""

import numpy as np
import numpy.typing as npt

from etude.models.hashing import INCREMENT, mix


def keyed_uniform(*keys: int | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for every combination of keys, the same whatever else is drawn.

    The keys are mixed one after the other by SplitMix64's output function (Steele, Lea and Flood 2014).

    Args:
      *keys: integers, or arrays that broadcast together.
    """
    state = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for key in keys:
            state = mix(state + np.asarray(key, np.int64).astype(np.uint64) + INCREMENT)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
