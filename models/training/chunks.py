"""What is trained on at which step, where it is not whole sequences: windows, or a stream in chunks with carried state.

Like the order of whole sequences, a function of seed and step alone, so that a run can resume anywhere.
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.training.batches import BatchPlan

Indices = npt.NDArray[np.int64]


class Chunks(NamedTuple):
    """Parts of sequences, one a row of a batch.

    Attributes:
      sequences: which ones, [rows].
      starts: their first steps, [rows].
      lengths: their steps, [rows]; 0 where a row is out of sequences.
      begins: whether a row begins a sequence, so that its state is to be zeros, [rows].
    """

    sequences: Indices
    starts: Indices
    lengths: Indices
    begins: npt.NDArray[np.bool_]


class WindowPlan:
    """Windows of all sequences, none across two, shuffled like whole sequences: every window once an epoch.

    A sequence has windows at every `stride` steps until one reaches its end; that one may be shorter.
    """

    def __init__(self, lengths: Indices, size: int, stride: int, batch_size: int, seed: int) -> None:
        """Lists the windows.

        Args:
          lengths: steps of each sequence.
          size: steps of a window.
          stride: steps from the start of one to the start of the next.
          batch_size: windows in a batch.
          seed: of the shuffling.
        """
        counts = 1 + -(-np.maximum(lengths - size, 0) // stride)
        self._sequences = np.repeat(np.arange(len(lengths)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        self._starts = (np.arange(len(first)) - first) * stride
        self._lengths = np.minimum(size, lengths[self._sequences] - self._starts)
        self._order = BatchPlan(self._lengths, batch_size, seed)
        self.steps_per_epoch = self._order.steps_per_epoch

    def chunks(self, step: int) -> Chunks:
        """The windows of a training step, from 0."""
        rows = self._order.indices(step)
        return Chunks(self._sequences[rows], self._starts[rows], self._lengths[rows], np.full(len(rows), True))


@dataclasses.dataclass(frozen=True, eq=False)
class StreamPlan:
    """Every row of the batch reads its own sequences one after the other, in chunks: every step of each once an epoch.

    A chunk ends where its sequence does, so that a row begins the next one with the next chunk. Which sequences are a row's
    is drawn once, such that all rows have about as many chunks; their order is drawn anew every epoch.

    Attributes:
      lengths: steps of each sequence, at least 1.
      size: steps of a chunk.
      batch_size: rows.
      seed: of rows and orders.
    """

    lengths: Indices
    size: int
    batch_size: int
    seed: int

    @functools.cached_property
    def steps_per_epoch(self) -> int:
        """Chunks of the longest row."""
        return max(int(self._counts[row].sum()) for row in self._rows)

    def chunks(self, step: int) -> Chunks:
        """The chunks of a training step, from 0."""
        epoch, position = divmod(step, self.steps_per_epoch)
        sequences, starts = self._epoch(epoch)[:, :, position]
        lengths = np.where(starts < 0, 0, np.minimum(self.size, self.lengths[sequences] - starts))
        return Chunks(sequences, np.maximum(starts, 0), lengths, starts <= 0)

    @functools.cached_property
    def _counts(self) -> Indices:
        return -(-self.lengths // self.size)

    @functools.cached_property
    def _rows(self) -> list[Indices]:
        """The sequences of every row: the longest first, each to the row that has the fewest chunks."""
        shuffled = np.random.default_rng(self.seed).permutation(len(self.lengths))
        rows: list[list[int]] = [[] for _ in range(self.batch_size)]
        chunks = np.zeros(self.batch_size, np.int64)
        for sequence in shuffled[np.argsort(-self._counts[shuffled], kind="stable")]:
            row = int(chunks.argmin())
            rows[row].append(int(sequence))
            chunks[row] += self._counts[sequence]
        return [np.array(row, np.int64) for row in rows]

    @functools.lru_cache(maxsize=2)  # noqa: B019 - a plan lives as long as its run
    def _epoch(self, epoch: int) -> Indices:
        """Sequence and start, -1 where there is none, of every row and step: [2, batch_size, steps_per_epoch]."""
        random = np.random.default_rng([self.seed, epoch])
        result = np.zeros((2, self.batch_size, self.steps_per_epoch), np.int64)
        result[1] = -1
        for row, sequences in enumerate(self._rows):
            order = random.permutation(sequences)
            counts = self._counts[order]
            first = np.repeat(np.cumsum(counts) - counts, counts)
            result[0, row, : len(first)] = np.repeat(order, counts)
            result[1, row, : len(first)] = (np.arange(len(first)) - first) * self.size
        return result
