"""ABC as text: one token a character."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from etude.models.abc.tune_domain import HEADER_ATTRIBUTE
from etude.models.abc_characters.domain import END_TEXT, START_TEXT
from etude.models.melodies.extraction import Rejection
from etude.models.melodies.quantisation import UnusableError
from etude.models.representations.abc_text import AbcText, check_choice, header_length, num_written_notes, text_of_piece
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Extracted
from etude.models.representations.sequence import Sequence
from etude.models.representations.vocabulary import Vocabulary
from etude.models.sequences.domain import END, START

AS_TOKENS, AS_TEXT = MARKS = ("token", "text")


@dataclasses.dataclass(frozen=True)
class AbcCharacters(AbcText):
    r"""The characters of a tune's text, between a start and an end mark.

    Attributes:
      text: "own" is the text that the tune was written as, headers in the file's order; "canonical" is one spelling of its
        notes, repeats played out (`etude.models.abc.canonical`).
      marks: "token" has one token each for start and end; "text" has the characters of `<start>\n` and `<end>\n`.
      min_count: characters that are rarer in the train split become the unknown.
    """

    marks: str = AS_TOKENS

    name: ClassVar[str] = "abc_characters"
    unit: ClassVar[str] = "character"

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is none of its choices.
        """
        super().__post_init__()
        check_choice("marks", self.marks, MARKS)

    def extract(self, piece: Piece) -> Extracted:
        """The text of a tune. Attributes: `num_notes`, notes as written, and `num_header_tokens`, the start mark too."""
        try:
            text = text_of_piece(piece, self.text)
            num_notes = num_written_notes(text)
        except UnusableError as error:
            return Extracted([], [Rejection(error.reason, error.detail)])
        symbols = self.symbols(text)
        num_header = symbols.index("\n") + 1 if self.marks == AS_TEXT else 1
        attributes = {"num_notes": num_notes, HEADER_ATTRIBUTE: num_header + header_length(text)}
        return Extracted([Sequence(symbols, "0", attributes=attributes)], [])

    def symbols(self, text: str) -> tuple[str, ...]:
        """The symbols of the text of a whole tune."""
        return (*START_TEXT, *text, *END_TEXT) if self.marks == AS_TEXT else (START, *text, END)

    def fit(self, counts: Mapping[str, int]) -> Vocabulary:
        """The characters of the train split, after the unknown and the marks."""
        return Vocabulary.fitted(counts, () if self.marks == AS_TEXT else (START, END), self.min_count)

    def render(self, tokens: npt.NDArray[np.int64], vocabulary: Vocabulary | None = None) -> str:
        """The text without its marks; an unknown character is `?`, which ABC reserves."""
        assert vocabulary is not None
        symbols = vocabulary.decode(tokens.tolist())
        if self.marks == AS_TOKENS:
            return "".join(_character(symbol) for symbol in symbols if symbol not in (START, END))
        return "".join(map(_character, symbols)).removeprefix(START_TEXT).removesuffix(END_TEXT)


def _character(symbol: str) -> str:
    return symbol if len(symbol) == 1 else "?"
