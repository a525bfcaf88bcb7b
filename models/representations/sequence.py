"""A sequence of tokens and where it came from."""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from etude.models.sequences.sequence_set import SequenceSet, packed

Tokens = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Sequence:
    """A sequence of tokens and where it came from.

    Attributes:
      tokens: int64 [num_tokens]; or, before a vocabulary is fitted, the symbols that it will number.
      id: a name that is unique in its dataset and the same in every run.
      source: the piece that it was extracted from.
      attributes: what else is known of it, such as `steps_per_bar`.
      columns: what is known of each token, by name, such as the chord under it: int64 [num_tokens] each.
    """

    tokens: Tokens | tuple[str, ...]
    id: str = ""
    source: str = ""
    attributes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    columns: Mapping[str, Tokens] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.tokens)


def pack(sequences: Iterable[Sequence]) -> SequenceSet:
    """Sequences whose tokens are numbers, with the attributes and columns that all of them have."""
    taken = [dataclasses.replace(one, tokens=packed(np.asarray(one.tokens, np.int64))) for one in sequences]
    names = set.intersection(*(set(one.attributes) for one in taken)) if taken else set()
    columns = set.intersection(*(set(one.columns) for one in taken)) if taken else set()
    return SequenceSet.pack(
        [one.tokens for one in taken],
        [one.id for one in taken],
        [one.source for one in taken],
        {name: [one.attributes[name] for one in taken] for name in sorted(names)},
        {name: [one.columns[name] for one in taken] for name in sorted(columns)},
    )
