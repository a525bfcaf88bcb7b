"""Vocabularies: symbols and their numbers, with an explicit unknown."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping

import numpy as np

from etude.models.representations.sequence import Tokens

UNKNOWN = "<unknown>"


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Symbols in the order of their numbers, from 0.

    Attributes:
      symbols: each once; the unknown is `<unknown>`, if there is one.
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("a vocabulary holds no symbol twice")

    @classmethod
    def fitted(cls, counts: Mapping[str, int], marks: Iterable[str] = (), min_count: int = 1) -> "Vocabulary":
        """The vocabulary of the symbols of a training set.

        Args:
          counts: how often each symbol occurs.
          marks: symbols that it has in any case, such as those for start and end; they come first, after the unknown.
          min_count: rarer symbols become the unknown.
        """
        first = (UNKNOWN, *marks)
        return cls(
            (*first, *sorted(name for name, count in counts.items() if count >= min_count and name not in first))
        )

    def __len__(self) -> int:
        """Number of symbols."""
        return len(self.symbols)

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each symbol."""
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    def encode(self, symbols: Iterable[str]) -> Tokens:
        """The numbers of symbols, int64 [num_symbols]; one that is not known becomes the unknown.

        Raises:
          ValueError: if a symbol is not known and the vocabulary has no unknown.
        """
        unknown = self.numbers.get(UNKNOWN)
        numbers = [self.numbers.get(symbol, unknown) for symbol in symbols]
        if None in numbers:
            raise ValueError("a symbol is not in the vocabulary, which has no unknown")
        return np.array(numbers, np.int64)

    def decode(self, tokens: Iterable[int]) -> tuple[str, ...]:
        """The symbols of numbers."""
        return tuple(self.symbols[token] for token in tokens)
