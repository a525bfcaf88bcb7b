"""The batches of training: what is fed at which step."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding, Inputs, Labels
from etude.models.hyperparameters import Hyperparameters
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.training.batches import BatchPlan
from etude.models.training.chunks import StreamPlan, WindowPlan

_KEPT_NUMBERS = 1 << 26
"""Numbers in encoded sequences that are kept for later parts of them: 256 MiB."""


class Example(NamedTuple):
    """A batch to train on.

    Attributes:
      inputs: [batch, steps, input_size], or [batch, steps] where they are indices.
      labels: [batch, steps].
      lengths: real steps of each row, [batch].
      begins: whether a row begins a sequence, [batch]; where not, it goes on from the row's last state.
    """

    inputs: Inputs
    labels: Labels
    lengths: npt.NDArray[np.int64]
    begins: npt.NDArray[np.bool_]


class Examples:
    """Whole sequences, windows, or a stream in chunks, in an order that depends on seed and step alone.

    Attributes:
      steps_per_epoch: batches in which all steps are seen once (in windows that overlap, more often).
    """

    def __init__(self, sequences: SequenceSet, encoding: Encoding, hyperparameters: Hyperparameters, seed: int) -> None:
        """Plans the order.

        Args:
          sequences: of at least two tokens each: the first is never predicted.
          encoding: turns them into inputs and labels.
          hyperparameters: `batches` and what belongs to it.
          seed: of the order.
        """
        self._sequences = sequences
        self._encoding = encoding
        size, rows = hyperparameters.chunk_steps, hyperparameters.batch_size
        self._whole = BatchPlan(sequences.lengths, rows, seed) if hyperparameters.batches == "sequences" else None
        if hyperparameters.batches == "windows":
            self._parts: WindowPlan | StreamPlan = WindowPlan(
                sequences.lengths - 1, size, hyperparameters.window_stride, rows, seed
            )
        else:
            self._parts = StreamPlan(sequences.lengths - 1, size, rows, seed)
        self.steps_per_epoch = (self._whole or self._parts).steps_per_epoch
        # A stream takes up every sequence again with its next chunk, windows at any time.
        numbers_of_a_step = 2 if encoding.is_indexed else encoding.input_size
        kept = int(_KEPT_NUMBERS / (sequences.lengths.mean() * numbers_of_a_step))
        self._one = functools.lru_cache(maxsize=max(kept, 2 * rows))(self._encode_one)

    def batch(self, step: int) -> Example:
        """The batch of a training step, from 0."""
        if self._whole is not None:
            inputs, labels, lengths = self._encode(self._whole.indices(step))
            return Example(inputs, labels, lengths, np.full(len(lengths), True))
        chunks = self._parts.chunks(step)
        shape = len(chunks.lengths), int(chunks.lengths.max())
        first_inputs, _ = self._one(int(chunks.sequences[0]))
        inputs = np.zeros((*shape, *first_inputs.shape[1:]), first_inputs.dtype)
        labels = np.zeros(shape, np.int64)
        for row, (sequence, start, length) in enumerate(
            zip(chunks.sequences, chunks.starts, chunks.lengths, strict=True)
        ):
            all_inputs, all_labels = self._one(int(sequence))
            inputs[row, :length] = all_inputs[start : start + length]
            labels[row, :length] = all_labels[start : start + length]
        return Example(inputs, labels, chunks.lengths, chunks.begins)

    def _encode_one(self, index: int) -> tuple[Inputs, Labels]:
        """Inputs and labels of a whole sequence: encodings may look back further than a chunk reaches."""
        inputs, labels, _ = self._encode(np.array([index]))
        return inputs[0], labels[0]

    def _encode(self, indices: npt.NDArray[np.int64]) -> tuple[Inputs, Labels, npt.NDArray[np.int64]]:
        batch = self._sequences.batch(indices, self._encoding.padding)
        inputs = self._encoding.inputs(batch.tokens[:, :-1], batch.attributes)
        labels = self._encoding.labels(batch.tokens, batch.attributes)[:, 1:]
        return inputs, labels, batch.num_predicted
