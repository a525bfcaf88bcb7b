"""The output function of SplitMix64 (Steele, Lea and Flood 2014), for hashes and keyed random numbers in NumPy."""

import numpy as np
import numpy.typing as npt

INCREMENT = np.uint64(0x9E3779B97F4A7C15)
"""What the generator adds to its state for each number."""

_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)


def mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scrambles 64-bit values one to one, so that near values get far apart; any shape."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * _MULTIPLIER_1
        values = (values ^ (values >> np.uint64(27))) * _MULTIPLIER_2
    return np.asarray(values ^ (values >> np.uint64(31)))
