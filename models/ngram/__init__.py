"""Counted models of any order: what followed the last tokens in the training sequences."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding
from etude.models.family import Counting, Family
from etude.models.ngram.counts import (
    Integers,
    array_shapes,
    continuation_counts,
    count,
    from_arrays,
    histories,
    to_arrays,
)
from etude.models.ngram.hyperparameters import NgramHyperparameters
from etude.models.ngram.network import KNESER_NEY, NgramNetwork
from etude.models.sequences.sequence_set import SequenceSet

_SEQUENCES_AT_ONCE = 1024


def count_ngrams(
    encoding: Encoding, sequences: SequenceSet, hyperparameters: NgramHyperparameters
) -> dict[str, Integers]:
    """The arrays of a counted model; see `etude.models.ngram.counts.to_arrays`.

    Args:
      encoding: one whose inputs are the labels of tokens.
      sequences: as the model reads them.
      hyperparameters: order and smoothing.
    """
    before, tokens = [], []
    for start in range(0, len(sequences), _SEQUENCES_AT_ONCE):
        batch = sequences.batch(np.arange(start, min(start + _SEQUENCES_AT_ONCE, len(sequences))), encoding.padding)
        labels = encoding.token_labels(batch.tokens)
        past = histories(labels[:, :-1], hyperparameters.order - 1, encoding.num_tokens)
        before.append(past[batch.is_predicted].astype(np.int32))
        tokens.append(labels[:, 1:][batch.is_predicted])
    levels = count(np.concatenate(before), np.concatenate(tokens), encoding.num_tokens)
    if hyperparameters.smoothing == KNESER_NEY:
        levels = continuation_counts(levels, encoding.num_tokens)
    return to_arrays(levels)


def make_network(
    encoding: Encoding, arrays: Mapping[str, npt.NDArray[np.generic]], hyperparameters: NgramHyperparameters
) -> NgramNetwork:
    """The model that `count_ngrams` counted.

    Raises:
      ValueError: if the arrays are damaged.
    """
    levels = from_arrays(arrays, hyperparameters.order, encoding.num_tokens)
    return NgramNetwork(levels, encoding.num_tokens, hyperparameters.smoothing)


def _first_shapes(configuration: Configuration) -> dict[str, tuple[int, ...]]:
    return {"sizes": (configuration.hyperparameters.order, 2)}


FAMILY = Family(
    name="ngram",
    title="N-gram",
    summary="Counts what followed the last tokens in the training sequences, and mixes longer contexts with shorter ones.",
    defaults=Configuration("ngram", hyperparameters=NgramHyperparameters()),
    representation="",
    counting=Counting(
        count=lambda configuration, encoding, sequences: count_ngrams(
            encoding, sequences, configuration.hyperparameters
        ),
        first_shapes=_first_shapes,
        other_shapes=lambda arrays: array_shapes(np.asarray(arrays["sizes"], np.int64)),
        make_network=lambda configuration, encoding, arrays: make_network(
            encoding, arrays, configuration.hyperparameters
        ),
    ),
)
