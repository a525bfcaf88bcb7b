"""Which melodies are trained on at which step: a function of seed and step alone, so that a run can resume anywhere."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

WINDOW = 8
"""Batches' worth of melodies that are sorted by length together: less padding, and still a fresh mix every epoch."""


@dataclasses.dataclass(frozen=True)
class BatchPlan:
    """The order of training: every melody once an epoch, in batches of similar length, shuffled by the seed.

    Attributes:
      lengths: steps of each melody.
      batch_size: melodies in a batch; the last of an epoch may be smaller.
      seed: of the shuffling.
    """

    lengths: npt.NDArray[np.int64]
    batch_size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches in which all melodies are seen once."""
        return -(-len(self.lengths) // self.batch_size)

    def indices(self, step: int) -> npt.NDArray[np.int64]:
        """The melodies of a training step, from 0."""
        epoch, position = divmod(step, self.steps_per_epoch)
        return self._epoch(epoch)[position]

    @functools.lru_cache(maxsize=2)  # noqa: B019 - a plan lives as long as its run
    def _epoch(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self.lengths))
        batches: list[npt.NDArray[np.int64]] = []
        for start in range(0, len(order), WINDOW * self.batch_size):
            window = order[start : start + WINDOW * self.batch_size]
            by_length = window[np.argsort(self.lengths[window], kind="stable")]
            batches += [by_length[i : i + self.batch_size] for i in range(0, len(by_length), self.batch_size)]
        return [batches[index] for index in random.permutation(len(batches))]

    def __hash__(self) -> int:
        """By identity: the cache holds the epochs of this very plan."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """By identity."""
        return self is other
