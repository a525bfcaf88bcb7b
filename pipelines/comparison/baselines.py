"""Baselines: what simple rules achieve on the very same steps. A model that does not beat them has learnt nothing.

Each baseline is fitted on the training melodies in the models' key and range, and gives a probability to every event, so
that all figures are computed from it as from a model.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from etude.models.encodings.encoding import Encoding
from etude.models.encodings.melody import lookback
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.evaluation.evaluation import Predict
from etude.models.evaluation.likelihood import LogProbabilities
from etude.models.melodies.melody import NO_EVENT, STEPS_PER_BAR
from etude.models.ngram import count_ngrams, make_network
from etude.models.ngram.hyperparameters import NgramHyperparameters
from etude.models.ngram.network import LAPLACE
from etude.models.sequences.batch import Batch
from etude.models.sequences.sequence_set import SequenceSet

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
    predict: Predict
    has_likelihood: bool = True


def fit_baselines(encoding: Encoding, train: SequenceSet, knows_no_event: bool = True) -> list[Baseline]:
    """All baselines, fitted on training sequences as the encoding has them; melodies have more than others.

    Args:
      encoding: without aliases.
      train: the training sequences.
      knows_no_event: whether the models of melodies know "no event".
    """
    counted = [unigram(encoding, train), bigram(encoding, train)]
    if not isinstance(encoding, OneHotEncoding):
        return counted
    first = [no_event(encoding)] if knows_no_event else []
    return [*first, *counted, repeat_bar(encoding, train)]


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


def unigram(encoding: Encoding, train: SequenceSet) -> Baseline:
    """How often each token is in the training sequences, from their second on; one is added to every count."""
    return Baseline(
        "unigram",
        "Unigram",
        f"How often each {encoding.unit} occurs, whatever came before (add-one smoothing).",
        counted(encoding, train, order=1),
    )


def bigram(encoding: Encoding, train: SequenceSet) -> Baseline:
    """How often each token follows the one before it; one is added to every count (Laplace)."""
    return Baseline(
        "bigram",
        "Bigram",
        f"How often each {encoding.unit} follows the one before it (add-one smoothing).",
        counted(encoding, train, order=2),
    )


def counted(encoding: Encoding, train: SequenceSet, order: int, smoothing: str = LAPLACE) -> Predict:
    """A counted model of an order, as it predicts."""
    hyperparameters = NgramHyperparameters(order, smoothing)
    network = make_network(encoding, count_ngrams(encoding, train, hyperparameters), hyperparameters)
    return lambda batch: network.logits(encoding.token_labels(batch.tokens[:, :-1]))


def repeat_bar(encoding: OneHotEncoding, train: SequenceSet) -> Baseline:
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


def _batches(melodies: SequenceSet) -> list[Batch]:
    starts = range(0, len(melodies), 64)
    return [melodies.batch(np.arange(start, min(start + 64, len(melodies))), NO_EVENT) for start in starts]
