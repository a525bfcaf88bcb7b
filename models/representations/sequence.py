"""Sequences of tokens, alone and packed by the thousand."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]
_KINDS = (np.int8, np.int16, np.int32, np.int64)


@dataclasses.dataclass(frozen=True, eq=False)
class Sequence:
    """A sequence of tokens and where it came from.

    Attributes:
      tokens: int64 [num_tokens]; or, before a vocabulary is fitted, the symbols that it will number.
      id: a name that is unique in its dataset and the same in every run.
      source: the piece that it was extracted from.
      attributes: what else is known of it, such as `steps_per_bar`.
    """

    tokens: Tokens | tuple[str, ...]
    id: str = ""
    source: str = ""
    attributes: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.tokens)


@dataclasses.dataclass(frozen=True)
class SequenceSet:
    """Sequences end to end in one array.

    Attributes:
      flat: the tokens of all sequences one after the other, in the smallest integer type that holds them.
      ends: where each sequence ends in `flat`.
      ids: of each sequence.
      sources: of each sequence.
      attributes: by name, the value of each sequence.
    """

    flat: npt.NDArray[np.integer]
    ends: npt.NDArray[np.int64]
    ids: tuple[str, ...]
    sources: tuple[str, ...]
    attributes: Mapping[str, npt.NDArray[np.int64]]

    @classmethod
    def of(cls, sequences: Iterable[Sequence], lowest: int, highest: int) -> "SequenceSet":
        """Packs sequences, in order.

        Args:
          sequences: their tokens numbered, all with the same attributes.
          lowest: the lowest token that may occur.
          highest: the highest token that may occur.

        Raises:
          ValueError: if a token lies outside; the message names the sequence and the token.
        """
        kind = next(kind for kind in _KINDS if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max)
        tokens: list[npt.NDArray[np.integer]] = [np.zeros(0, kind)]
        ids, sources = [], []
        attributes: dict[str, list[int]] = {}
        for sequence in sequences:
            numbers = np.asarray(sequence.tokens, np.int64)
            outside = numbers[(numbers < lowest) | (numbers > highest)]
            if outside.size:
                raise ValueError(f"{sequence.id or 'a sequence'} holds token {outside[0]}, not {lowest} to {highest}")
            tokens.append(numbers.astype(kind))
            ids.append(sequence.id)
            sources.append(sequence.source)
            for name, value in sequence.attributes.items():
                attributes.setdefault(name, []).append(value)
        uneven = [name for name, values in attributes.items() if len(values) != len(ids)]
        if uneven:
            raise ValueError(f"only some sequences have the attribute {uneven[0]}")
        return cls(
            flat=np.concatenate(tokens),
            ends=np.cumsum([len(token) for token in tokens[1:]], dtype=np.int64),
            ids=tuple(ids),
            sources=tuple(sources),
            attributes={name: np.array(values, np.int64) for name, values in attributes.items()},
        )

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.ends)

    @functools.cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each sequence."""
        return np.diff(self.ends, prepend=0)

    def tokens(self, index: int) -> Tokens:
        """The tokens of one sequence, int64 [num_tokens]."""
        start = self.ends[index - 1] if index else 0
        return self.flat[start : self.ends[index]].astype(np.int64)
