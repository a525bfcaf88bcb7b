"""One pass of a model over sequences: the sums of every sequence, whole and by category."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.evaluation.statistics import Prediction, Sums, batch_sums, join
from etude.models.progress import Progress, silent
from etude.models.sequences.batch import Batch
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.sequence_set import SequenceSet

Predict = Callable[[Batch], LogProbabilities]
"""From a batch to log-probabilities after each token but the last: [batch, steps - 1, num_labels]."""

PADDED_STEPS_PER_BATCH = 1 << 15
"""Bounds the memory of evaluation: 2^15 steps of 40 labels take 5 MB."""


def evaluate(
    encoding: Encoding,
    sequences: SequenceSet,
    predict: Predict,
    breakdowns: Sequence[Breakdown] = (),
    progress: Progress = silent,
) -> Sums:
    """The sums of every sequence of a set, in its order; each is evaluated once, without dropout.

    Args:
      encoding: the model's.
      sequences: as the model reads them.
      predict: the model, or any rule that predicts.
      breakdowns: categories to add up besides.
      progress: called after every batch.
    """
    if not len(sequences):
        batch = sequences.batch(np.zeros(0, np.int64), encoding.padding)
        nothing = np.zeros((*batch.tokens[:, 1:].shape, encoding.num_labels), np.float32)
        return batch_sums(Prediction(encoding, batch, nothing), breakdowns)
    parts, order = [], []
    done = 0
    for indices in batches_by_length(sequences.lengths):
        batch = sequences.batch(indices, encoding.padding)
        parts.append(batch_sums(Prediction(encoding, batch, predict(batch)), breakdowns))
        order.append(indices)
        done += len(indices)
        progress(done, len(sequences))
    return join(parts).take(np.argsort(np.concatenate(order)))


def batches_by_length(lengths: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Indices of sequences of similar length, in batches of about `PADDED_STEPS_PER_BATCH` padded steps."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and lengths[order[stop]] * (stop + 1 - start) <= PADDED_STEPS_PER_BATCH:
            stop += 1
        yield order[start:stop]
        start = stop
