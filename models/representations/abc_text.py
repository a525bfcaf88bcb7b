"""What representations of ABC share: which text of a piece they take, and what is stored of a tune beside it."""

import dataclasses
import re
from typing import ClassVar

from etude.models.abc.canonical import canonical
from etude.models.abc.notation.score import Sound
from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.abc.unfolded import unfold_piece
from etude.models.errors import UsageError
from etude.models.melodies.quantisation import UnusableError
from etude.models.representations.piece import Piece
from etude.models.representations.representation import Representation

OWN, CANONICAL = TEXTS = ("own", "canonical")
_HEADER = re.compile(r"(?:.*\n)*?[ \t]*K:.*\n?")


def text_of_piece(piece: Piece, kind: str) -> str:
    """The text of a piece, which ends with a line feed.

    Args:
      piece: the piece.
      kind: "own" for what it was written as, "canonical" for its canonical text.

    Raises:
      UnusableError: if it has none.
    """
    own = piece.text.text if piece.text is not None else ""
    if kind == CANONICAL:
        return canonical(unfold_piece(piece.sequence, own))
    if not own:
        raise UnusableError("no-text", "it was not written as ABC")
    return own


def header_length(text: str) -> int:
    """Characters before the music: up to the end of the line of the first `K:`; all of a text that has none."""
    header = _HEADER.match(text)
    return header.end() if header else len(text)


def num_written_notes(text: str) -> int:
    """Notes of a tune as written: repeats once, a note of a chord or after a tie by itself.

    Raises:
      UnusableError: if it cannot be read.
    """
    try:
        voices = read_text(text).score.voices
    except AbcError as error:
        raise UnusableError("abc-syntax", error.message) from error
    return sum(len(element.tones) for voice in voices for element in voice.elements if isinstance(element, Sound))


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Checks an option.

    Raises:
      UsageError: if the value is none of the choices.
    """
    if value not in choices:
        raise UsageError(f"--option {option} must be {' or '.join(choices)}, not {value!r}")


@dataclasses.dataclass(frozen=True)
class AbcText(Representation):
    """What the representations of ABC have in common.

    Attributes:
      text: "own" is the text that a tune was written as; "canonical" is one spelling of its notes, repeats played out.
      min_count: symbols that are rarer in the train split become the unknown.
    """

    text: str = OWN
    min_count: int = 1

    reads_text: ClassVar[bool] = True
    carries_tunes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Checks the options.

        Raises:
          UsageError: if one is none of its choices.
        """
        check_choice("text", self.text, TEXTS)
        if not isinstance(self.min_count, int) or self.min_count < 1:
            raise UsageError(f"--option min_count must be a whole number of at least 1, not {self.min_count!r}")
