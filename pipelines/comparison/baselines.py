"""Baselines: what simple rules achieve on the very same steps. A model that does not beat them has learnt nothing.

Each baseline is fitted on the training melodies in the models' key and range, and gives a probability to every event, so
that all figures are computed from it as from a model.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from etude.models.encodings.melody import lookback
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.melodies.melody import NO_EVENT, STEPS_PER_BAR
from etude.models.melodies.melody_set import MelodySet
from etude.models.representations.batch import Batch

_CERTAIN_NOT = -500.0
"""Stands for the logarithm of 0, so that sums stay numbers."""


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A rule that predicts melodies.

    Attributes:
      name: in results.
      title: in words.
      summary: how it predicts.
      predict: log-probabilities of the events of steps 2 to n of a batch, in the order of the one-hot labels:
        [batch, steps - 1, num_tokens].
      has_likelihood: False where it gives some events no probability at all, so that only its accuracy means anything.
    """

    name: str
    title: str
    summary: str
    predict: Callable[[Batch], LogProbabilities]
    has_likelihood: bool = True


def fit_baselines(encoding: OneHotEncoding, train: MelodySet, knows_no_event: bool = True) -> list[Baseline]:
    """All baselines, fitted on training melodies that are in the encoding's range; models may know no "no event"."""
    first = [no_event(encoding)] if knows_no_event else []
    return [*first, unigram(encoding, train), bigram(encoding, train), repeat_bar(encoding, train)]


def no_event(encoding: OneHotEncoding) -> Baseline:
    """Always "no event"."""
    row = np.full(encoding.num_tokens, _CERTAIN_NOT, np.float32)
    row[encoding.token_labels(np.array(NO_EVENT))] = 0.0
    return Baseline(
        "no_event",
        "Always “no event”",
        "Says at every step that nothing new happens.",
        lambda batch: _everywhere(row, batch),
        has_likelihood=False,
    )


def unigram(encoding: OneHotEncoding, train: MelodySet) -> Baseline:
    """How often each event is in the training melodies, from their second event on; one is added to every count."""
    counts = _pair_counts(encoding, train).sum(axis=0) + 1
    row = np.log(counts / counts.sum()).astype(np.float32)
    return Baseline(
        "unigram",
        "Unigram",
        "How often each event occurs, whatever came before (add-one smoothing).",
        lambda batch: _everywhere(row, batch),
    )


def bigram(encoding: OneHotEncoding, train: MelodySet) -> Baseline:
    """How often each event follows the one before it; one is added to every count (Laplace)."""
    counts = _pair_counts(encoding, train) + 1
    table = np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return Baseline(
        "bigram",
        "Bigram",
        "How often each event follows the one before it (add-one smoothing).",
        lambda batch: table[encoding.token_labels(batch.tokens[:, :-1])],
    )


def repeat_bar(encoding: OneHotEncoding, train: MelodySet) -> Baseline:
    """The event of one bar ago ("no event" in the first bar), mixed with a uniform distribution.

    The share of the mixture that makes the training melodies most likely has a closed form: the repeated event then has
    the probability with which it occurs in them.
    """
    hits = steps = 0
    for batch in _batches(train):
        repeated = _bar_ago(batch) == batch.tokens[:, 1:]
        hits += int(np.count_nonzero(repeated & batch.is_predicted))
        steps += int(batch.num_predicted.sum())
    rate = (hits + 1) / (steps + 2)
    row = np.full(encoding.num_tokens, np.log((1 - rate) / (encoding.num_tokens - 1)), np.float32)

    def predict(batch: Batch) -> LogProbabilities:
        log_probabilities = _everywhere(row, batch).copy()
        labels = encoding.token_labels(_bar_ago(batch))
        np.put_along_axis(log_probabilities, labels[..., None], np.float32(np.log(rate)), axis=-1)
        return log_probabilities

    return Baseline(
        "repeat_bar",
        "Repeat the last bar",
        f"What was there one bar ago, with probability {rate:.3f}; any other event equally likely.",
        predict,
    )


def _bar_ago(batch: Batch) -> npt.NDArray[np.int64]:
    """The event of one bar before each predicted step, [batch, steps - 1]."""
    return lookback(batch.tokens, batch.attributes[STEPS_PER_BAR][:, None])[:, 1:, 0]


def _everywhere(row: LogProbabilities, batch: Batch) -> LogProbabilities:
    return np.broadcast_to(row, (len(batch.lengths), batch.tokens.shape[1] - 1, len(row)))


def _batches(melodies: MelodySet) -> list[Batch]:
    return [melodies.batch(np.arange(start, min(start + 64, len(melodies)))) for start in range(0, len(melodies), 64)]


def _pair_counts(encoding: OneHotEncoding, melodies: MelodySet) -> npt.NDArray[np.int64]:
    """How often each event follows each: [event before, event]."""
    counts = np.zeros(encoding.num_tokens**2, np.int64)
    for batch in _batches(melodies):
        labels = encoding.token_labels(batch.tokens)
        pairs = labels[:, :-1] * encoding.num_tokens + labels[:, 1:]
        counts += np.bincount(pairs[batch.is_predicted], minlength=len(counts))
    return counts.reshape(encoding.num_tokens, encoding.num_tokens)
