"""Many sequences of tokens in memory, compactly, and batches of them."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from etude.models.sequences.batch import Attributes, Batch, Tokens

Packed = npt.NDArray[np.signedinteger[Any]]
"""Tokens of the smallest of these types that holds them: int8, int16, int32, int64."""


@dataclasses.dataclass(frozen=True)
class SequenceSet:
    """Sequences end to end in one array, a byte a token where all tokens are in [-128, 127].

    Attributes:
      flat: the tokens of all sequences one after the other.
      ends: where each sequence ends in `flat`.
      ids: of each sequence.
      sources: the piece of each sequence.
      attributes: what else is known of each, by name, such as `steps_per_bar`.
      columns: what is known of each token, by name, one after the other as in `flat`.
    """

    flat: Packed
    ends: npt.NDArray[np.int64]
    ids: tuple[str, ...]
    sources: tuple[str, ...]
    attributes: Attributes
    columns: Mapping[str, Packed] = dataclasses.field(default_factory=dict)

    @classmethod
    def pack(
        cls,
        lists: Iterable[npt.ArrayLike],
        ids: Iterable[str] = (),
        sources: Iterable[str] = (),
        attributes: Mapping[str, Sequence[int]] | None = None,
        columns: Mapping[str, Iterable[npt.ArrayLike]] | None = None,
    ) -> Self:
        """Packs sequences, in order.

        Args:
          lists: the tokens of each.
          ids: of each; empty where they have none.
          sources: of each; empty where they have none.
          attributes: of each, by name.
          columns: of each, by name, as many numbers as tokens.
        """
        arrays = [packed(np.asarray(tokens)) for tokens in lists]
        nameless = ("",) * len(arrays)
        return cls(
            flat=_joined(arrays),
            ends=np.cumsum([len(tokens) for tokens in arrays], dtype=np.int64),
            ids=tuple(ids) or nameless,
            sources=tuple(sources) or nameless,
            attributes={name: np.array(values, np.int64) for name, values in (attributes or {}).items()},
            columns={
                name: _joined([packed(np.asarray(column)) for column in values])
                for name, values in (columns or {}).items()
            },
        )

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.ends)

    @functools.cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each sequence."""
        return np.diff(self.ends, prepend=0)

    def tokens(self, index: int) -> Tokens:
        """The tokens of one sequence, [steps]."""
        return self._packed(index).astype(np.int64)

    def column(self, name: str, index: int) -> npt.NDArray[np.int64]:
        """What is known of each token of one sequence, [steps]."""
        return self.columns[name][self._place(index)].astype(np.int64)

    def map(self, change: Callable[[Tokens], Tokens]) -> Self:
        """The same sequences with every one's tokens changed; the number of tokens stays."""
        changed = [packed(change(self.tokens(index))) for index in range(len(self))]
        return dataclasses.replace(self, flat=_joined(changed))

    def select(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> Self:
        """The sequences at `indices`, in that order."""
        chosen = np.asarray(indices, np.int64)
        arrays = [self._packed(index) for index in chosen.tolist()]
        return dataclasses.replace(
            self,
            flat=_joined(arrays),
            ends=np.cumsum([len(tokens) for tokens in arrays], dtype=np.int64),
            ids=tuple(self.ids[index] for index in chosen.tolist()),
            sources=tuple(self.sources[index] for index in chosen.tolist()),
            attributes={name: values[chosen] for name, values in self.attributes.items()},
            columns={
                name: _joined([values[self._place(index)] for index in chosen.tolist()])
                for name, values in self.columns.items()
            },
        )

    def batch(self, indices: npt.NDArray[np.int64], padding: int) -> Batch:
        """The sequences at `indices` as one batch, padded with the token `padding`."""
        lengths = self.lengths[indices]
        tokens = np.full((len(indices), int(lengths.max(initial=0))), padding, dtype=np.int64)
        for row, index in enumerate(indices.tolist()):
            tokens[row, : lengths[row]] = self._packed(index)
        attributes = {name: values[indices] for name, values in self.attributes.items()}
        for name, values in self.columns.items():
            attributes[name] = np.zeros_like(tokens)
            for row, index in enumerate(indices.tolist()):
                attributes[name][row, : lengths[row]] = values[self._place(index)]
        return Batch(tokens, lengths, attributes)

    def _packed(self, index: int) -> Packed:
        return self.flat[self._place(index)]

    def _place(self, index: int) -> slice:
        return slice(self.ends[index - 1] if index else 0, self.ends[index])


def _joined(arrays: Sequence[Packed]) -> Packed:
    return np.concatenate([np.zeros(0, np.int8), *arrays])


def packed(tokens: npt.NDArray[Any]) -> Packed:
    """The same numbers in the smallest type that holds them all."""
    lowest, highest = int(tokens.min(initial=0)), int(tokens.max(initial=0))
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
            return tokens.astype(kind)
    return tokens
