"""ABC as folk-rnn's tokens."""

import dataclasses
import re
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.abc.problems import AbcError
from etude.models.abc.tokens import text_of, tokenise
from etude.models.abc.tune_domain import HEADER_ATTRIBUTE
from etude.models.melodies.extraction import Rejection
from etude.models.melodies.quantisation import UnusableError
from etude.models.representations.abc_text import AbcText, check_choice, text_of_piece
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import UNKNOWN, Vocabulary
from etude.models.sequences.domain import END, START

INTO_C, OWN_KEY = KEYS = ("C", "own")
IS_NOTE = re.compile(r"[\^_=]*[A-Ga-g][,']*")


@dataclasses.dataclass(frozen=True)
class AbcTokens(AbcText):
    """The tokens of a tune (`etude.models.abc.tokens`) between a start and an end token.

    Attributes:
      text: "own" takes the tune as it was written, with repeats and endings; "canonical" its canonical text, played out.
      key: "C" writes every tune into C, in its mode, as folk-rnn does; "own" leaves it in its key.
      min_count: tokens that are rarer in the train split become the unknown.
    """

    key: str = INTO_C

    name: ClassVar[str] = "abc_tokens"
    unit: ClassVar[str] = "token"

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is none of its choices.
        """
        super().__post_init__()
        check_choice("key", self.key, KEYS)

    def extract(self, piece: Piece) -> Extracted:
        """The tokens of a tune. Attributes: `num_notes`, notes as written, and `num_header_tokens`, the start too."""
        try:
            tokens = tokenise(text_of_piece(piece, self.text), self.key == INTO_C)
        except UnusableError as error:
            return Extracted([], [Rejection(error.reason, error.detail)])
        except AbcError as error:
            return Extracted([], [Rejection("abc-syntax", error.message)])
        num_notes = sum(bool(IS_NOTE.fullmatch(token)) for token in tokens)
        attributes = {"num_notes": num_notes, HEADER_ATTRIBUTE: 1 + num_header_tokens(tokens)}
        return Extracted([Sequence((START, *tokens, END), "0", attributes=attributes)], [])

    def fit(self, counts: Mapping[str, int]) -> Vocabulary:
        """The tokens of the train split, after the unknown and the marks."""
        return Vocabulary.fitted(counts, (START, END), self.min_count)

    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> str:
        """The text of the tokens, without the marks; an unknown token is `?`, which ABC reserves."""
        assert vocabulary is not None
        symbols = vocabulary.decode(tokens.tolist())
        return text_of("?" if symbol == UNKNOWN else symbol for symbol in symbols if symbol not in (START, END))


def num_header_tokens(tokens: list[str]) -> int:
    """How many of the first tokens are metre and key."""
    return next((place for place, token in enumerate(tokens) if token[:2] not in ("M:", "K:")), len(tokens))
