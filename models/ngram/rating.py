"""How usual a piece is beside the pieces of a training set: a bigram model's likelihood, and how often it uses each symbol.

The likelihood is that of a bigram model with Laplace smoothing, (c + 1) / (N + V), of every symbol but the first given the
one before. Its sum rates length as well, so the mean stands beside it.

The divergence is that of Kullback and Leibler, D(piece || average) = sum p ln(p / q) in nats, at least 0: p is the piece's
share of each symbol, q the average of those shares over the training pieces and one more piece that uses every symbol of the
vocabulary equally often, so that no q is 0.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from etude.models.ngram.counts import count
from etude.models.ngram.network import LAPLACE, NgramNetwork

Tokens = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Rating:
    """The rating of a piece.

    Attributes:
      num_symbols: predicted ones: all but the first.
      log_likelihood: the sum of their logarithms, in nats.
      divergence: of the piece's shares of symbols from the average, in nats.
    """

    num_symbols: int
    log_likelihood: float
    divergence: float

    @property
    def log_likelihood_per_symbol(self) -> float:
        """The mean logarithm."""
        return self.log_likelihood / self.num_symbols

    def values(self) -> dict[str, float]:
        """The three ratings by name."""
        names = ("log_likelihood", "log_likelihood_per_symbol", "divergence")
        return {name: getattr(self, name) for name in names}


class Rater:
    """What rates pieces, fitted on training pieces."""

    def __init__(self, pieces: Iterable[Tokens], num_tokens: int) -> None:
        """Counts.

        Args:
          pieces: the symbols of each training piece, [num_symbols], from 0 to num_tokens - 1.
          num_tokens: size of the vocabulary.

        Raises:
          ValueError: if there is no piece of two symbols.
        """
        pieces = [piece for piece in pieces if len(piece)]
        before = np.concatenate([np.zeros(0, np.int64), *(piece[:-1] for piece in pieces)])
        if not len(before):
            raise ValueError("there is no training piece of two symbols")
        after = np.concatenate([piece[1:] for piece in pieces])
        self._num_tokens = num_tokens
        self._network = NgramNetwork(count(before[:, None], after, num_tokens), num_tokens, LAPLACE)
        total = sum((self._shares(piece) for piece in pieces), np.full(num_tokens, 1 / num_tokens))
        self._average = total / (len(pieces) + 1)

    def rate(self, piece: Tokens) -> Rating:
        """The rating of a piece of at least two symbols."""
        if len(piece) < 2:
            raise ValueError(f"a piece of {len(piece)} symbols cannot be rated; it takes two")
        log_probabilities = self._network.log_probabilities(piece[:-1, None])
        likelihood = log_probabilities[np.arange(len(piece) - 1), piece[1:]].sum(dtype=np.float64)
        shares = self._shares(piece)
        used = shares > 0
        divergence = float((shares[used] * np.log(shares[used] / self._average[used])).sum())
        return Rating(len(piece) - 1, float(likelihood), divergence)

    def _shares(self, piece: Tokens) -> Values:
        return np.bincount(piece, minlength=self._num_tokens) / len(piece)


@dataclasses.dataclass(frozen=True)
class Scale:
    """The ratings of real pieces that were held out, which give others a place.

    Attributes:
      values: by name, ascending.
    """

    values: dict[str, Values]

    @classmethod
    def of(cls, ratings: Sequence[Rating]) -> "Scale":
        """The scale of at least one rating."""
        return cls({name: np.sort([rating.values()[name] for rating in ratings]) for name in ratings[0].values()})

    def percentiles(self, rating: Rating) -> dict[str, float]:
        """The share of held-out pieces, in percent, that have a lower value; equal ones count half."""
        return {
            name: 50.0
            * float(np.searchsorted(self.values[name], value) + np.searchsorted(self.values[name], value, "right"))
            / len(self.values[name])
            for name, value in rating.values().items()
        }
