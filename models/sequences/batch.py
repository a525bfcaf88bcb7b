"""Sequences of tokens, padded to one length."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]

Attributes = Mapping[str, npt.NDArray[np.int64]]
"""What is known of the sequences of a batch besides their tokens, such as their metre: [batch, ...] by name."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """Sequences padded to one length.

    Attributes:
      tokens: [batch, steps], padded with any valid token.
      lengths: [batch].
      attributes: of the sequences.
    """

    tokens: Tokens
    lengths: npt.NDArray[np.int64]
    attributes: Attributes

    @property
    def num_predicted(self) -> npt.NDArray[np.int64]:
        """Steps that a model predicts: all but the first of each sequence, [batch]."""
        return np.maximum(self.lengths - 1, 0)

    @property
    def is_predicted(self) -> npt.NDArray[np.bool_]:
        """Where, from the second step on, a sequence goes on: [batch, steps - 1]."""
        return np.arange(max(self.tokens.shape[1] - 1, 0)) < self.num_predicted[:, None]


class Sequences(Protocol):
    """Many sequences that can be had in batches."""

    @property
    def flat(self) -> npt.NDArray[np.signedinteger[Any]]:
        """The tokens of all sequences one after the other."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each sequence."""

    def __len__(self) -> int:
        """Number of sequences."""

    def batch(self, indices: npt.NDArray[np.int64], padding: int) -> Batch:
        """The sequences at `indices` as one batch, padded with the token `padding`."""

    def map(self, change: Callable[[Tokens], Tokens]) -> "Sequences":
        """The same sequences with every one's tokens changed; the number of tokens stays."""


@dataclasses.dataclass(frozen=True)
class TokenLists:
    """Sequences of which nothing is known but their tokens.

    Attributes:
      lists: the tokens of each.
    """

    lists: tuple[Tokens, ...]

    @classmethod
    def of(cls, lists: Iterable[npt.ArrayLike]) -> "TokenLists":
        """Takes sequences, each [steps]."""
        return cls(tuple(np.array(tokens, dtype=np.int64) for tokens in lists))

    @property
    def flat(self) -> Tokens:
        """The tokens of all sequences one after the other."""
        return np.concatenate([np.zeros(0, np.int64), *self.lists])

    @functools.cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each sequence."""
        return np.array([len(tokens) for tokens in self.lists], dtype=np.int64)

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.lists)

    def batch(self, indices: npt.NDArray[np.int64], padding: int) -> Batch:
        """The sequences at `indices` as one batch, padded with the token `padding`."""
        lengths = self.lengths[indices]
        tokens = np.full((len(indices), int(lengths.max(initial=0))), padding, dtype=np.int64)
        for row, index in enumerate(indices):
            tokens[row, : lengths[row]] = self.lists[index]
        return Batch(tokens, lengths, {})

    def map(self, change: Callable[[Tokens], Tokens]) -> "TokenLists":
        """The same sequences with every one's tokens changed; the number of tokens stays."""
        return TokenLists(tuple(change(tokens) for tokens in self.lists))
