"""Random numbers that depend on what they are for, not on what was drawn before."""

import numpy as np
import numpy.typing as npt

_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)


def keyed_uniform(*keys: int | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for every combination of keys, the same whatever else is drawn.

    The keys are mixed one after the other by SplitMix64's output function (Steele, Lea and Flood 2014).

    Args:
      *keys: integers, or arrays that broadcast together.
    """
    state = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for key in keys:
            state = _mix(state + np.asarray(key, np.int64).astype(np.uint64) + _INCREMENT)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    value = (value ^ (value >> np.uint64(30))) * _MULTIPLIER_1
    value = (value ^ (value >> np.uint64(27))) * _MULTIPLIER_2
    return np.asarray(value ^ (value >> np.uint64(31)))
