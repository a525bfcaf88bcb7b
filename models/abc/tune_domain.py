"""What models of tunes share: whatever their tokens, a header and a body."""

import dataclasses
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.abc.features import Features
from etude.models.sequences.batch import Batch, Tokens
from etude.models.sequences.breakdown import Breakdown
from etude.models.sequences.domain import UNKNOWN, TuneSpan, VocabularyDomain
from etude.models.sequences.sequence_set import SequenceSet

HEADER_ATTRIBUTE = "num_header_tokens"
"""Of a sequence: how many of its first tokens are no music, the start mark too."""

_ONSET = re.compile(r"(?<![-^_=])(?<!-\|)[\^_=]*[A-Ga-g][,']*")
"""In the body of a canonical text: the pitch of a note that no tie goes before, which may pass a bar line."""

_UNKNOWN_SIGN = "?"
"""A sign that ABC reserves, so that readers pass it over."""


@dataclasses.dataclass(frozen=True)
class TuneDomain(VocabularyDomain):
    """Tunes over a vocabulary, whose header and body are told apart."""

    noun: ClassVar[str] = "tune"
    suffix: ClassVar[str] = "abc"

    def parse_start(self, text: str) -> Tokens:
        """The tokens of how a tune begins; symbols that are not in the vocabulary become its unknown.

        Raises:
          ValueError: if the text is no beginning of a tune; the message says why.
        """
        return self._started(text, self._numbers.get(UNKNOWN, -1))

    def breakdowns(self, sequences: SequenceSet) -> Sequence[Breakdown]:
        """See base class."""
        return (PARTS,) if HEADER_ATTRIBUTE in sequences.attributes else ()

    def features(self, tokens: Tokens, attributes: Mapping[str, int]) -> Features:
        """See base class."""
        signs = [
            "" if token in self.marks else (self._signs(np.array([token])) or [""])[0] for token in tokens.tolist()
        ]
        return self._features(signs, attributes.get(HEADER_ATTRIBUTE, 0))

    def tune_span(self, tokens: Tokens, attributes: Mapping[str, int]) -> TuneSpan | None:
        """See base class. The tokens are those of a canonical text, whose body is one line."""
        if self._numbers.get(UNKNOWN, -1) in tokens:
            return None
        num_header = attributes[HEADER_ATTRIBUTE]
        signs = ["" if token in self.marks else self.symbols[token] for token in tokens[num_header:].tolist()]
        body = "".join(signs).partition("\n")[0]
        onsets = [match.end() for match in _ONSET.finditer(body)]
        if len(onsets) < 2:
            return None
        # The token in which each onset's pitch ends, and so how many tokens there are up to it.
        ends = np.cumsum([len(sign) for sign in signs])
        first, last = (num_header + int(np.searchsorted(ends, end)) + 1 for end in (onsets[0], onsets[-1]))
        return TuneSpan(first, last, len(onsets) - 1)

    @abstractmethod
    def _features(self, signs: list[str], num_header: int) -> Features:
        """What the music has at each token, from what the tokens are in the text: nothing for a mark."""

    def _signs(self, tokens: Tokens) -> list[str]:
        """The symbols of tokens, without marks."""
        symbols = (self.symbols[token] for token in tokens.tolist() if token not in self.marks)
        return [_UNKNOWN_SIGN if symbol == UNKNOWN else symbol for symbol in symbols]


def _part_of_tune(batch: Batch) -> npt.NDArray[np.int64]:
    steps = np.arange(1, batch.tokens.shape[1])
    return (steps >= batch.attributes[HEADER_ATTRIBUTE][:, None]).astype(np.int64)


PARTS = Breakdown("part", "Header and body", ("header", "body"), _part_of_tune)
